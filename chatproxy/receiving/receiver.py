"""Receiving events: each is handed on to the target once."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chatproxy.forwarding import Way
from chatproxy.forwarding.session import open_session
from chatproxy.forwarding.target import Upstream
from chatproxy.forwarding.timeouts import Limits
from chatproxy.metrics.upstreams import UpstreamCounts
from chatproxy.receiving.memory import Block, Memory, inherited
from chatproxy.receiving.once import Answer, Outcome, once
from chatproxy.receiving.target import Target
from chatproxy.receiving.window import Bounds
from chatproxy.settings import Settings
from chatproxy.settings.webhooks import WebhookSettings

if TYPE_CHECKING:
    from chatproxy.receiving.shared import SharedWindow

#: What the target is called, where upstreams are counted and checked.
TARGET = "webhook-target"

#: Seconds beyond the limit on a delivery: for others to wait for its end, and until it is lost.
WAITED_FOR = 0.5
LEASED_FOR = 2.0


@dataclasses.dataclass(frozen=True)
class Receiver:
    """The target, what was handed on to it, and the seconds that an event may take."""

    target: Target
    window: "Memory | SharedWindow"
    within: float
    monotonic: Callable[[], float]

    def receive(self, key: bytes, deliver: Callable[[], Answer]) -> Outcome:
        """Deliver an event unless that was done already; raise as `once` does."""
        return once(self.window, key, deliver, within=self.within, monotonic=self.monotonic)

    def connect_by(self, before: Settings, after: Settings) -> None:
        """Go on with other certificates, and with another Redis."""
        if after.ca_file != before.ca_file:
            self.target.connect_by(after.ca_file)

        url = None if after.limiter is None else after.limiter.redis_url

        if url is None or isinstance(self.window, Memory) or after.limiter == before.limiter:
            return

        self.window.connect_by(url)

    def close(self) -> None:
        """Close all connections."""
        self.target.close()

        if not isinstance(self.window, Memory):
            self.window.close()


def open_receiver(
    settings: Settings,
    webhooks: WebhookSettings,
    limits: Limits,
    monotonic: Callable[[], float],
) -> Receiver:
    """Make the receiver that the settings ask for, without any call over the network."""
    target = _target(settings, webhooks, limits, monotonic)
    bounds = Bounds(webhooks.window_count, webhooks.window, webhooks.timeout + LEASED_FOR)
    window = _window(settings, bounds, monotonic)
    return Receiver(target, window, webhooks.timeout + WAITED_FOR, monotonic)


def _target(
    settings: Settings,
    webhooks: WebhookSettings,
    limits: Limits,
    monotonic: Callable[[], float],
) -> Target:
    named = Upstream.at(webhooks.target)
    # The session reaches what is below its base path; an event goes to that path itself.
    upstream, counts = dataclasses.replace(named, base_path=""), UpstreamCounts(TARGET)
    counts.begin()
    # Without the outbound proxy: the target is the company's own, and not beyond it.
    session = open_session(
        upstream,
        monotonic,
        pool_size=settings.pool_size,
        max_age=settings.connection_max_age,
        ca_file=settings.ca_file,
        counts=counts,
    )
    way, most = Way(upstream, session), settings.max_json_bytes
    path = urlsplit(webhooks.target).path or "/"
    return Target(way, path, _limits(webhooks, limits), monotonic, most)


def _limits(webhooks: WebhookSettings, limits: Limits) -> Limits:
    within = webhooks.timeout
    return dataclasses.replace(
        limits,
        connect=min(limits.connect, within),
        read=within,
        total=within,
        body_idle=within,
        body_total=within,
    )


def _window(
    settings: Settings, bounds: Bounds, monotonic: Callable[[], float]
) -> "Memory | SharedWindow":
    memory = Memory(inherited() or Block(bounds.most), bounds, monotonic)
    url = None if settings.limiter is None else settings.limiter.redis_url

    if url is None:
        return memory

    from chatproxy.receiving.shared import SharedWindow  # redis is an extra

    return SharedWindow(url, memory, bounds, monotonic)
