"""What lives as long as a worker, and how each part is made."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping

import requests

from chatproxy.clientconfig import ClientConfig
from chatproxy.credential import CredentialWatch
from chatproxy.forwarding.patience import Limits
from chatproxy.forwarding.session import open_session
from chatproxy.forwarding.target import Upstream
from chatproxy.providers import DEFAULT, REGISTRY
from chatproxy.providers.base import Provider
from chatproxy.settings import Settings


@dataclasses.dataclass(frozen=True)
class Clock:
    """The only clock. `now` is epoch seconds, `monotonic` never goes back."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclasses.dataclass(frozen=True)
class Route:
    """A provider with its way there: where it is, the pooled session, its credential's state."""

    provider: Provider
    upstream: Upstream
    session: requests.Session
    credential: CredentialWatch


@dataclasses.dataclass(frozen=True)
class Services:
    """Everything a request may need beyond itself."""

    settings: Settings
    clock: Clock
    limits: Limits
    client_config: ClientConfig
    routes: Mapping[str, Route]

    @property
    def default(self) -> Route | None:
        """The provider at the root, where it is on."""
        return self.routes.get(DEFAULT)

    def secrets(self) -> Iterator[str]:
        """Yield what is put into calls, and each part of it: for redaction."""
        for route in self.routes.values():
            for _, value in route.provider.authorise().headers:
                yield value
                yield from value.split(".")


def open_services(settings: Settings, clock: Clock | None = None) -> Services:
    """Make the services that the settings ask for. Nothing is asked over the network."""
    clock = clock or Clock()
    limits = Limits(
        connect=settings.connect_timeout,
        read=settings.read_timeout,
        total=settings.total_timeout,
        body_idle=settings.body_idle_timeout,
        body_total=settings.body_total_timeout,
        body_bytes=settings.max_body_bytes,
    )
    return Services(
        settings=settings,
        clock=clock,
        limits=limits,
        client_config=ClientConfig(settings.style_config, clock.monotonic),
        routes={
            name: _route(REGISTRY[name].make(section), settings, limits, clock)
            for name, section in settings.provider_settings.items()
        },
    )


def _route(provider: Provider, settings: Settings, limits: Limits, clock: Clock) -> Route:
    upstream = Upstream.at(provider.base_url)
    session = open_session(
        upstream,
        limits,
        clock.monotonic,
        pool_size=settings.pool_size,
        ca_file=settings.ca_file,
    )
    return Route(provider, upstream, session, CredentialWatch(provider.name))
