"""What a chat provider can do: what each must say, and the defaults that most share."""

import abc
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from chatproxy.errors import ChatproxyError
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.providers.credential import Verdict

if TYPE_CHECKING:
    from chatproxy.identity.token_records import Issued

#: Seconds by which `iat` lies in the past: a token from the future is refused, and two
#: machines' clocks are never quite the same.
BACK_DATED = 5

#: What needs a look, by its section on `/-/ready`.
Notes = Mapping[str, Mapping[str, str]]


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

    def check(self) -> Call:
        """Return a cheap call that only succeeds where the server works and accepts us."""
        ...

    def fault_in(self, status: int, content: bytes) -> str:
        """Return what is wrong with the answer to `check`, nothing where it is good."""
        ...


@runtime_checkable
class ReadsTokens(Protocol):
    """A provider whose user tokens can be read here; whether one counts is the directory's word."""

    def read_user_token(self, token: str, now: float) -> "Issued":
        """Check signature, time and claims; raise a `TokenRejected`."""
        ...


class Provider(abc.ABC):
    """A provider whose REST interface can be reached through the sidecar: a `Server` itself.

    `dialect` is that of the calls forwarded to it, `dialects` those of its further
    surfaces, by their path below the service prefix. `needed` names the settings
    without which nothing can be forwarded. `mounts` are the paths, beside the usual
    `/NAME/proxy`, below which calls are forwarded.
    """

    name: str
    needed: str
    mounts: Sequence[str] = ()
    root_port: int | None = None
    base_url: str | None
    dialect: Dialect
    dialects: Mapping[str, Dialect] = {}

    @abc.abstractmethod
    def authorise(self) -> Credentials:
        """Return the credentials that go into each forwarded call."""

    @abc.abstractmethod
    def check(self) -> Call:
        """Return a cheap call that only succeeds where the server works and accepts us."""

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Tell what an answer says of our own credential.

        `content` is the beginning of the body where it is an answer to `check`; that of a
        forwarded call is the caller's.
        """
        if status == 401:
            return "refused"

        return "accepted" if 200 <= status < 300 else "unknown"

    def fault_in(self, status: int, content: bytes) -> str:  # noqa: ARG002
        """Return what is wrong with the answer to `check`, nothing where it is good."""
        return "" if 200 <= status < 300 else f"answered {status}."

    def servers(self) -> Sequence[Server]:
        """Return the further servers that this needs."""
        return ()

    def notes(self) -> Notes:
        """Return what an operator has to look at beside the credential."""
        return {}
