"""What a chat provider can do, one small Protocol for each capability."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from chatproxy.providers.credential import Verdict
from chatproxy.errors import ChatproxyError
from chatproxy.settings.variables import declared

if TYPE_CHECKING:
    from chatproxy.identity.revocation import Issued


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What is put into a forwarded call, and what is taken out of it before.

    `reserved` holds the names, in lower case with `_` for `-`, that a caller may
    use neither in the query nor as a header. `body` are fields of the JSON object that
    the body then has to be. `public` names headers that are no secret, and may come back.
    """

    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]] = dataclasses.field(repr=False)
    reserved: frozenset[str]
    body: Mapping[str, str] | None = dataclasses.field(default=None, repr=False)
    public: frozenset[str] = frozenset()

    def beside(self, checked: Sequence[tuple[str, str]]) -> "Credentials":
        """Return these and fields that let the caller in.

        They go out as ours do, so that nothing the caller says can have them removed or
        doubled on the way.
        """
        names = {name.lower().replace("-", "_") for name, _ in checked}
        return dataclasses.replace(
            self, headers=[*self.headers, *checked], reserved=self.reserved | names
        )


@dataclasses.dataclass(frozen=True)
class OwnCall:
    """A call that the sidecar makes for itself; the path is below the server's base URL."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Sequence[tuple[str, str]] = dataclasses.field(default=(), repr=False)
    body: bytes | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How failures of ours are said on a surface.

    `error_body` takes the failure and the seconds that the request took.
    `no_websocket` makes the refusal of a WebSocket, which says where to connect instead;
    None where one is accepted.
    """

    error_body: Callable[[ChatproxyError, float], dict[str, Any]]
    no_websocket: Callable[[], ChatproxyError] | None


class Server(Protocol):
    """A server on which a provider's work depends, and how to see whether it works."""

    name: str

    @property
    def base_url(self) -> str | None:
        """Where it is; None where no setting says so."""
        ...

    def check(self) -> OwnCall:
        """Return a cheap call that only succeeds where the server works and accepts us."""
        ...

    def fault_in(self, status: int, content: bytes) -> str:
        """Return what is wrong with the answer to `check`, nothing where it is good."""
        ...


class Provider(Server, Protocol):
    """A provider whose REST interface can be reached through the sidecar.

    `dialect` is that of the calls forwarded to it, `dialects` those of its further
    surfaces, by their path below the service prefix. `needed` names the settings
    without which nothing can be forwarded.
    """

    needed: str
    root_port: int | None
    dialect: Dialect
    dialects: Mapping[str, Dialect]

    def authorise(self) -> Credentials:
        """Return the credentials that go into each forwarded call."""
        ...

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Tell what an answer says of our own credential.

        `content` is the beginning of the body where it is an answer to `check`; that of a
        forwarded call is the caller's.
        """
        ...

    def servers(self) -> Sequence[Server]:
        """Return the further servers that this needs."""
        ...


class IssuesTokens(Protocol):
    """A provider whose user tokens are made from nothing but the user's id."""

    api_key: str

    def is_user_id(self, user_id: str) -> bool:
        """Say whether the provider could know a user by this id."""
        ...

    def issue_token(self, user_id: str, now: float) -> str:
        """Make a token for the user. `now` is in epoch seconds."""
        ...


@runtime_checkable
class ReadsTokens(Protocol):
    """A provider whose user tokens can be read here; whether one counts is the directory's word."""

    def read_user_token(self, token: str, now: float) -> "Issued":
        """Check signature, time and claims; raise a `TokenRejected`."""
        ...


class VerifiesEvents(Protocol):
    """A provider whose webhooks can be checked."""

    def verify_event(self, body: bytes, signature: bytes) -> bool:
        """Say whether the provider signed these bytes."""
        ...


class DefaultProvider(Provider, IssuesTokens, VerifiesEvents, Protocol):
    """The provider at the root, which has all these capabilities."""


class ProviderSettings:
    """What the settings of a provider are beside their variables: a frozen dataclass below this.

    `root_port` is its own listener, or None. `underscored` names the headers with a `_` that
    its callers use: the server in front drops all others.
    """

    root_port: int | None = None
    underscored: ClassVar[tuple[str, ...]] = ()

    def problems(self) -> Iterator[str]:
        """Yield a line for each fault that one variable alone does not show."""
        yield from ()

    def warnings(self) -> Iterator[str]:
        """Yield what the operator should know at the start."""
        yield from ()

    def commands_before_start(self) -> Iterator[tuple[str, ...]]:
        """Yield commands of ours that prepare the directory."""
        yield from ()


@dataclasses.dataclass(frozen=True)
class ProviderKind:
    """A line of the registry: the settings a provider reads, and what is made of them.

    `implementation` is its class, `surface` the function that makes the blueprints
    of its own endpoints. `knows_users` says that it needs the directory.

    Both are named, not imported: the server's first process reads settings only,
    and must not load what its workers have to patch first.
    """

    settings: type[ProviderSettings]
    implementation: str
    surface: str | None = None
    knows_users: bool = False

    def variables(self) -> Iterator[str]:
        """Yield the names of the provider's variables."""
        return (one.name for _, one in declared(self.settings))

    def make(self, settings: Any) -> Provider:
        """Make the provider."""
        made: Provider = _named(self.implementation)(settings)
        return made

    def make_blueprints(self, services: Any) -> Sequence[Any]:
        """Make the blueprints of its own endpoints, of the worker's services."""
        if self.surface is None:
            return ()

        made: Sequence[Any] = _named(self.surface)(services)
        return made


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
