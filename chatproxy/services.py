"""What lives as long as a worker: how each part is made, checked and closed."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from chatproxy.access.keys import ANY_KEY, HEADER
from chatproxy.access.rules import Access
from chatproxy.clock import Clock
from chatproxy.errors import NotConfigured, UpstreamError
from chatproxy.forwarding import Way
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.headers import Withheld, squeezed
from chatproxy.forwarding.outbound import Answered, ask, ask_fully
from chatproxy.forwarding.session import connect_by, open_session
from chatproxy.forwarding.target import Upstream
from chatproxy.forwarding.timeouts import Limits
from chatproxy.forwarding.tunnel import Proxy
from chatproxy.identity.key_format import OUR_KEYS
from chatproxy.metrics import requests as counted
from chatproxy.metrics.upstreams import UpstreamCounts
from chatproxy.providers import SETTINGS
from chatproxy.providers.base import CredentialWatch, Notes, Provider, SendsEvents, Server
from chatproxy.providers.people import Reach
from chatproxy.receiving.receiver import TARGET, Receiver, open_receiver
from chatproxy.settings import Settings
from chatproxy.tracing import open_tracing

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory
    from chatproxy.limiting.limiter import Limiter
    from chatproxy.tracing.spans import Tracing

#: Keys of callers, made here or named by the access document.
SHOWN_KEYS = re.compile(f"{OUR_KEYS.pattern}|{ANY_KEY.pattern}")

ProviderT = TypeVar("ProviderT", bound=Provider)


class Lifetime:
    """Whether the worker or the service is being stopped. Only the server knows; it tells here."""

    def __init__(self) -> None:
        self._is_over: Callable[[], bool] = lambda: False
        self._is_draining: Callable[[], bool] = lambda: False

    def ends_when(self, is_over: Callable[[], bool], is_draining: Callable[[], bool]) -> None:
        """Register the functions that know."""
        self._is_over, self._is_draining = is_over, is_draining

    def is_draining(self) -> bool:
        """Say whether the service is being stopped: all workers, and none takes their place.

        It serves on for a while, but nobody should send it more.
        """
        return self._is_draining()

    def is_over(self) -> bool:
        """Say whether whatever lasts longer than a request, such as a WebSocket, has to end."""
        return self._is_over()

    def is_ending(self) -> bool:
        """Say whether a caller that keeps its connection should look for another one."""
        return self._is_draining() or self._is_over()

    def reasons(self) -> Mapping[str, str]:
        """Return why no requests should come, by a code; empty where they may."""
        return {"draining": "The sidecar is being stopped."} if self.is_draining() else {}


class ConfigFault:
    """Why changed settings are not in force, for `/-/ready`."""

    def __init__(self) -> None:
        self.problems: Sequence[str] = ()

    def notes(self) -> Notes:
        """Return what an operator has to look at."""
        fault = " ".join(self.problems)
        return {"config": {"fault": fault, "inForce": "the last good one"}} if fault else {}


def _do_nothing() -> None:
    pass


@dataclasses.dataclass(frozen=True)
class Part:
    """One part of a worker, as readiness, check-up and shutdown see it.

    `notes` are what an operator has to look at, by section of `/-/ready`. `unready` says why no
    requests should come, by a code; it is asked after `notes`. `ping` raises a `ChatproxyError` if
    the part does not work; None if there is nothing to check.
    """

    name: str
    notes: Callable[[], Notes] = dict
    unready: Callable[[], Mapping[str, str]] = dict
    ping: Callable[[], None] | None = None
    close: Callable[[], None] = _do_nothing


@dataclasses.dataclass
class Peer:
    """A server that we depend on, and the way there. `server` is replaced by its successor."""

    server: Server
    way: Way
    limits: Limits
    monotonic: Callable[[], float]

    def ask(self, call: Call) -> tuple[int, bytes]:
        """Make a call; return the status and the start of the body. Raises `UpstreamError`."""
        return ask(self.way, call, self.limits, self.monotonic)

    def ask_fully(self, call: Call, most: int) -> Answered:
        """Make a call; return the answer, of its body so many bytes. Raises `UpstreamError`."""
        return ask_fully(self.way, call, self.limits, self.monotonic, most)

    def ping(self) -> None:
        """Raise `UpstreamError` if the server does not work or does not accept us."""
        status, content = self.ask(self.server.check())

        if fault := self.server.fault_in(status, content):
            raise UpstreamError(fault)


@dataclasses.dataclass
class Backend:
    """A provider, the way there, and whether it accepts our credential.

    `provider` is replaced by its successor when its secrets change. `peer` is None if no setting
    says where the provider is.
    """

    provider: Provider
    peer: Peer | None
    credential: CredentialWatch

    def not_configured(self) -> NotConfigured:
        """Return the error that says what has to be set to reach the provider."""
        return NotConfigured(
            f"This cannot be forwarded: it needs {self.provider.needed} to be set."
        )

    def ping(self) -> None:
        """Raise `UpstreamError` if the provider does not work or refuses our credential."""
        if self.peer is None:
            return

        status, content = self.peer.ask(self.provider.check())
        self.credential.saw(status, self.provider.verdict(status, content))

        if fault := self.provider.fault_in(status, content):
            raise UpstreamError(fault)

    def notes(self) -> Notes:
        """Return what an operator has to look at."""
        refused = {self.provider.name: "refused by the provider"}
        return {"credentials": refused} if self.credential.refused else {}

    def close(self) -> None:
        """Close the idle connections."""
        if self.peer is not None:
            self.peer.way.session.close()


@dataclasses.dataclass
class Services:
    """Everything a request may need beyond itself.

    `directory` exists if a provider that knows users is on, `limiter` then, with an access document
    or where webhooks are received, `receiver` there, `tracing` if spans are sent. `access` is that
    document, None without one. `renew` takes over what the server's first process has read since it
    was called last.
    """

    settings: Settings
    clock: Clock
    limits: Limits
    backends: Mapping[str, Backend]
    peers: Mapping[str, Peer]
    directory: "Directory | None"
    limiter: "Limiter | None"
    parts: Sequence[Part]
    lifetime: Lifetime
    access: Access | None = None
    config: ConfigFault = dataclasses.field(default_factory=ConfigFault)
    renew: Callable[[], None] = _do_nothing
    tracing: "Tracing | None" = None
    receiver: Receiver | None = None

    def provider(self, kind: type[ProviderT]) -> ProviderT:
        """Return the provider of a class. Its endpoints are registered only if it is on."""
        found = self.backends[kind.name].provider
        assert isinstance(found, kind)  # noqa: S101 - see `providers.registry`
        return found

    def reach(self) -> Reach:
        """Return what a provider needs to act for somebody now."""
        return Reach(self.directory, self.ask, self.peers.keys(), self.clock.now())

    def ask(self, server: str, call: Call) -> tuple[int, bytes]:
        """Make a call to a server; return the status and the start of the body.

        Raises `UpstreamError`, and `NotConfigured` for a provider without a server.
        """
        backend, peer = self.backends.get(server), self.peers.get(server)

        if peer is None:
            raise self.backends[server].not_configured()

        status, content = peer.ask(call)

        if backend is not None:
            backend.credential.saw(status, backend.provider.verdict(status, None))

        return status, content

    def use(self, settings: Settings, providers: Sequence[Provider]) -> None:
        """Go on with other secrets and documents, and with providers that are made of them."""
        # First what may fail: after it nothing is used half.
        before = self.settings

        if (settings.ca_file, settings.proxy_url) != (before.ca_file, before.proxy_url):
            for peer in self.peers.values():
                proxy = _proxy_to(peer.way.upstream, settings)
                connect_by(peer.way.session, settings.ca_file, proxy)

        if self.receiver is not None:
            self.receiver.connect_by(before, settings)

        if self.directory is not None and settings.directory is not None:
            self.directory.database.connect_by(settings.directory.url)

        if self.limiter is not None and settings.limiter not in (None, before.limiter):
            self.limiter.connect_by(settings.limiter)

        for provider in providers:
            backend = self.backends[provider.name]
            backend.provider = provider

            if backend.peer is not None:
                backend.peer.server = provider

            for server in provider.servers():
                if server.name in self.peers:
                    self.peers[server.name].server = server

        if self.directory is not None and settings.keys is not None:
            self.directory.sign_with(settings.keys.signing_secrets)

        self.access = settings.access
        self.settings = settings

    def secrets(self) -> Iterator[str]:
        """Yield every credential that is put into calls, for redaction."""
        for backend in self.backends.values():
            credentials = backend.provider.authorise()
            yield from (credentials.body or {}).values()

            for _, value in credentials.headers:
                yield value
                # A JWT: a log may hold its signature alone.
                yield from value.split(".")

    def close(self) -> None:
        """Write what is still buffered, and close every connection."""
        for part in self.parts:
            part.close()


def open_services(
    settings: Settings, providers: Sequence[Provider], clock: Clock | None = None
) -> Services:
    """Make the services that the settings ask for, without any call over the network."""
    # A provider or database that is down must not keep the sidecar from starting.
    clock = clock or Clock()
    limits = _limits(settings)
    backends = {one.name: _backend(one, settings, limits, clock) for one in providers}
    directory, limiter = _directory(settings, clock), _limiter(settings, clock)
    peers = {name: one.peer for name, one in backends.items() if one.peer is not None}
    parts: list[Part] = []

    for name, backend in backends.items():
        counted.begin(name)
        ping = None if backend.peer is None else backend.ping
        parts.append(Part(name, backend.notes, ping=ping, close=backend.close))

        for server in backend.provider.servers():
            if server.base_url is not None:
                peer = _peer(server, server.base_url, settings, limits, clock)
                peers[server.name] = peer
                parts.append(Part(server.name, ping=peer.ping, close=peer.way.session.close))

    if directory is not None:
        parts.append(_directory_part(directory, clock))

    if limiter is not None:
        notes = partial(_fault_note, "limits", limiter.look)
        parts.append(Part("limits", notes, ping=limiter.ping, close=limiter.close))

    config, lifetime = ConfigFault(), Lifetime()
    parts.append(Part("settings", config.notes))
    parts.append(Part("lifetime", unready=lifetime.reasons))
    services = Services(
        settings,
        clock,
        limits,
        backends,
        peers,
        directory,
        limiter,
        parts,
        lifetime,
        settings.access,
        config,
    )

    if settings.webhooks is not None:
        services.receiver = open_receiver(settings, settings.webhooks, limits, clock.monotonic)
        parts.append(_target_part(services.receiver))

        for name, backend in backends.items():
            if isinstance(backend.provider, SendsEvents):
                counted.begin_receiving(name)

    if (tracing := open_tracing(settings.tracing, clock.monotonic)) is not None:
        services.tracing = tracing
        parts.append(Part("tracing", close=tracing.close))

    return services


def _fault_note(section: str, fault: Callable[[], str]) -> Notes:
    text = fault()

    if not text:
        return {}

    # Of a driver's text only the part before the colon: the rest names hosts and roles, and
    # `/-/ready` is open to all. The command that helps is kept; the log has the whole text.
    _, separator, command = text.partition("; run ")
    return {section: {"fault": text.partition(":")[0] + separator + command}}


def _limits(settings: Settings) -> Limits:
    return Limits(
        connect=settings.connect_timeout,
        read=settings.read_timeout,
        total=settings.total_timeout,
        body_idle=settings.body_idle_timeout,
        body_total=settings.body_total_timeout,
        body_bytes=settings.max_body_bytes,
    )


def _backend(provider: Provider, settings: Settings, limits: Limits, clock: Clock) -> Backend:
    url = provider.base_url
    peer = None if url is None else _peer(provider, url, settings, limits, clock)
    return Backend(provider, peer, CredentialWatch(provider.name))


def _peer(server: Server, base_url: str, settings: Settings, limits: Limits, clock: Clock) -> Peer:
    upstream, counts = Upstream.at(base_url), UpstreamCounts(server.name)
    counts.begin()
    session = open_session(
        upstream,
        clock.monotonic,
        pool_size=settings.pool_size,
        max_age=settings.connection_max_age,
        ca_file=settings.ca_file,
        proxy=_proxy_to(upstream, settings),
        counts=counts,
    )
    way = Way(upstream, session, _withheld(settings))
    return Peer(server, way, limits, clock.monotonic)


def _proxy_to(upstream: Upstream, settings: Settings) -> Proxy | None:
    url = settings.proxy_to(upstream.host)
    return None if url is None else Proxy.at(url)


def _withheld(settings: Settings) -> Withheld:
    # No provider is told who the caller's user is. Nor is any told what a caller shows us, be it
    # for a provider that is off: a key of ours opens this sidecar, and no server behind it.
    names = [name for one in SETTINGS.values() for name in one.caller_keys] + [HEADER]
    keys = frozenset(map(squeezed, names))
    user = squeezed(settings.user_id_header.partition(".")[0])
    return Withheld(keys | {user}, keys, SHOWN_KEYS)


def _target_part(receiver: Receiver) -> Part:
    # Not a reason for readiness: without its target the sidecar does all the rest.
    return Part(TARGET, ping=receiver.target.ping, close=receiver.close)


def _directory(settings: Settings, clock: Clock) -> "Directory | None":
    if settings.directory is None or settings.keys is None:
        return None

    # Imported here: SQLAlchemy is large, and a sidecar without users needs none of it.
    from chatproxy.identity.directory import Directory

    return Directory(
        settings.directory.url,
        settings.keys.signing_secrets,
        now=clock.now,
        monotonic=clock.monotonic,
    )


def _directory_part(directory: "Directory", clock: Clock) -> Part:
    from chatproxy.identity.readiness import Readiness

    database = directory.database
    readiness = Readiness(database, clock.monotonic)

    def notes() -> Notes:
        readiness.look()
        found = dict(_fault_note("directory", lambda: database.fault).get("directory", {}))

        if database.advice:
            found["encoding"] = database.advice

        return {"directory": found} if found else {}

    return Part("directory", notes, readiness.reasons, database.ping, directory.close)


def _limiter(settings: Settings, clock: Clock) -> "Limiter | None":
    if settings.limiter is None:
        return None

    from chatproxy.limiting.limiter import Limiter

    return Limiter(settings.limiter, clock.monotonic)
