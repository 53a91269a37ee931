"""What lives as long as a worker, and how each part is made, looked at and closed."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

import requests

from chatproxy.providers.stream.client_config import ClientConfig
from chatproxy.providers.credential import CredentialWatch
from chatproxy.errors import NotConfigured
from chatproxy.forwarding.patience import Limits
from chatproxy.forwarding.session import open_session
from chatproxy.forwarding.target import Upstream
from chatproxy.providers import DEFAULT, REGISTRY
from chatproxy.providers.base import DefaultProvider, Provider, Server
from chatproxy.settings import Settings

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory
    from chatproxy.limiting.limiter import Limiter


@dataclasses.dataclass(frozen=True)
class Clock:
    """The only clock. `now` is epoch seconds, `monotonic` never goes back."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


class Lifetime:
    """How long this process goes on. Only the server in front knows, and says so here."""

    def __init__(self) -> None:
        self._is_over: Callable[[], bool] = lambda: False

    def ends_when(self, is_over: Callable[[], bool]) -> None:
        """Ask this from now on."""
        self._is_over = is_over

    def is_over(self) -> bool:
        """Say whether what would last longer than a request has to end now."""
        return self._is_over()


@dataclasses.dataclass(frozen=True)
class Peer:
    """A server of somebody else's, with the pooled session that leads there."""

    server: Server
    upstream: Upstream
    session: requests.Session


@dataclasses.dataclass(frozen=True)
class Route:
    """A provider, its credential's state, and the way there: None where no setting says where."""

    provider: Provider
    peer: Peer | None
    credential: CredentialWatch

    def way(self) -> Peer:
        """Return the way there; raise `NotConfigured`."""
        if self.peer is None:
            raise NotConfigured(
                f"This cannot be forwarded: it needs {self.provider.needed} to be set."
            )

        return self.peer


@dataclasses.dataclass(frozen=True)
class Services:
    """Everything a request may need beyond itself.

    `directory` and `limiter` are there where a provider that is on knows users. `withheld` are
    headers, in lower case, that no provider is told.
    """

    settings: Settings
    clock: Clock
    limits: Limits
    client_config: ClientConfig
    routes: Mapping[str, Route]
    peers: Mapping[str, Peer]
    directory: "Directory | None"
    limiter: "Limiter | None"
    withheld: frozenset[str]
    lifetime: Lifetime = dataclasses.field(default_factory=Lifetime)

    @property
    def default(self) -> DefaultProvider | None:
        """The provider at the root, where it is on."""
        route = self.routes.get(DEFAULT)
        return None if route is None else cast(DefaultProvider, route.provider)

    def secrets(self) -> Iterator[str]:
        """Yield what is put into calls, and each part of it: for redaction."""
        for route in self.routes.values():
            credentials = route.provider.authorise()
            yield from (credentials.body or {}).values()

            for _, value in credentials.headers:
                yield value
                yield from value.split(".")

    def close(self) -> None:
        """Write what is not written yet, and close every connection."""
        for peer in self.peers.values():
            peer.session.close()

        if self.limiter is not None:
            self.limiter.close()

        if self.directory is not None:
            self.directory.close()


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
    providers = [
        REGISTRY[name].make(section) for name, section in settings.provider_settings.items()
    ]
    servers = [server for one in providers for server in (one, *one.servers())]
    peers = {
        server.name: _peer(server, server.base_url, settings, limits, clock)
        for server in servers
        if server.base_url is not None
    }
    return Services(
        settings=settings,
        clock=clock,
        limits=limits,
        client_config=ClientConfig(settings.style_config, clock.monotonic),
        routes={
            one.name: Route(one, peers.get(one.name), CredentialWatch(one.name))
            for one in providers
        },
        peers=peers,
        directory=_directory(settings, clock),
        limiter=_limiter(settings, clock),
        withheld=_withheld(settings),
    )


def _withheld(settings: Settings) -> frozenset[str]:
    """Name who the caller's user is, and the deprecated keys that are for one provider only.

    Without the provider that has those the server in front drops them.
    """
    sections = settings.provider_settings.values()
    deprecated = [name.replace("_", "-") for one in sections for name in one.underscored]
    user = settings.user_id_header.partition(".")[0]
    return frozenset(name.lower() for name in (user, *deprecated))


def _peer(server: Server, base_url: str, settings: Settings, limits: Limits, clock: Clock) -> Peer:
    upstream = Upstream.at(base_url)
    session = open_session(
        upstream,
        limits,
        clock.monotonic,
        pool_size=settings.pool_size,
        ca_file=settings.ca_file,
    )
    return Peer(server, upstream, session)


def _directory(settings: Settings, clock: Clock) -> "Directory | None":
    if settings.directory is None or settings.keys is None:
        return None

    # The library below it is large, and Stream alone needs none of it.
    from chatproxy.identity.directory import Directory

    return Directory(
        settings.directory.url,
        settings.keys.signing_secrets,
        now=clock.now,
        monotonic=clock.monotonic,
    )


def _limiter(settings: Settings, clock: Clock) -> "Limiter | None":
    if settings.limiter is None:
        return None

    from chatproxy.limiting.limiter import Limiter

    return Limiter(settings.limiter, clock.monotonic)
