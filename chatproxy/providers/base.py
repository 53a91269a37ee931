"""What a chat provider can do, one small Protocol for each capability."""

import dataclasses
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Protocol

from chatproxy.errors import ChatproxyError
from chatproxy.variables import declared


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What is put into a forwarded call, and what is taken out of it before.

    `reserved` holds the names, in lower case with `_` for `-`, that a caller may
    use neither in the query nor as a header.
    """

    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]] = dataclasses.field(repr=False)
    reserved: frozenset[str]


class ForwardsCalls(Protocol):
    """A provider whose REST interface can be reached through the sidecar."""

    base_url: str

    def authorise(self) -> Credentials:
        """Return the credentials that go into each forwarded call."""
        ...

    def refuses_credential(self, status: int) -> bool:
        """Say whether an answer's status means that our own credential was refused."""
        ...

    def error_body(self, error: ChatproxyError, seconds: float) -> dict[str, Any]:
        """Say a failure of ours in the provider's own error shape."""
        ...

    def no_websocket(self) -> str:
        """Say where to connect instead, for a caller who asked for a WebSocket."""
        ...

    def check_path(self) -> str:
        """Name a cheap path that answers 2xx where the credentials are good."""
        ...


class IssuesTokens(Protocol):
    """A provider whose user tokens are made here."""

    api_key: str

    def is_user_id(self, user_id: str) -> bool:
        """Say whether the provider could know a user by this id."""
        ...

    def issue_token(self, user_id: str, now: float) -> str:
        """Make a token for the user. `now` is in epoch seconds."""
        ...


class VerifiesEvents(Protocol):
    """A provider whose webhooks can be checked."""

    def verify_event(self, body: bytes, signature: bytes) -> bool:
        """Say whether the provider signed these bytes."""
        ...


class Provider(ForwardsCalls, IssuesTokens, VerifiesEvents, Protocol):
    """The provider at the root, which has all capabilities."""

    name: str
    root_port: int | None


@dataclasses.dataclass(frozen=True)
class ProviderKind:
    """A line of the registry: the settings a provider reads, and the class that is made of them.

    The settings are a dataclass of variables, with `problems()` and `warnings()`,
    which yield lines for the start, and `root_port`, its own listener or None.

    The class is named, not imported: the server's first process reads settings
    only, and must not load what its workers have to patch first.
    """

    settings: type[Any]
    implementation: str

    def variables(self) -> Iterator[str]:
        """Yield the names of the provider's variables."""
        return (one.name for _, one in declared(self.settings))

    def make(self, settings: Any) -> "Provider":
        """Make the provider."""
        module, _, name = self.implementation.partition(":")
        made: Provider = getattr(import_module(module), name)(settings)
        return made
