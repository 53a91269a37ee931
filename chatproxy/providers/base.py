"""What a chat provider must define, and the defaults that most of them share."""

import abc
import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from chatproxy.errors import CallerError, ChatproxyError, NotServed
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.metrics.table import TOKENS_REVOKED
from chatproxy.metrics.upstreams import UpstreamCounts
from chatproxy.providers.events import Received
from chatproxy.providers.issuing import Inspection, Minted, Wanted
from chatproxy.providers.people import Ended, Given, Person, Reach
from chatproxy.providers.permissions import Ask, Permissions, Request

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory
    from chatproxy.identity.token_records import Issued

log = logging.getLogger(__name__)

#: Seconds by which `iat` is set back. Verifiers refuse a token from the future, and the
#: clocks of two machines differ.
BACK_DATED = 5

NO_SUCH_USER = "there is no such user"

#: What an answer says about our credential. Most say nothing.
Verdict = Literal["refused", "accepted", "unknown"]

#: What an operator should look at, by section of `/-/ready`.
Notes = Mapping[str, Mapping[str, str]]


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How chatproxy reports its own failures on one surface.

    `error_body` takes the failure and the duration of the request in seconds.
    `no_websocket` makes the error for a WebSocket request, which says where to connect
    instead. It is None where WebSockets are accepted.
    """

    error_body: Callable[[ChatproxyError, float], dict[str, Any]]
    no_websocket: Callable[[], ChatproxyError] | None


class Server(Protocol):
    """A server that a provider depends on, and how to check it."""

    name: str

    @property
    def base_url(self) -> str | None:
        """Its root URL, or None if it is not configured."""
        ...

    def check(self) -> Call:
        """Return a cheap call that succeeds only if the server works and accepts us."""
        ...

    def fault_in(self, status: int, content: bytes) -> str:
        """Return what is wrong with the answer to `check`, or an empty text."""
        ...


@runtime_checkable
class ReadsTokens(Protocol):
    """A provider whose user tokens can be verified here. Only the directory knows revocations."""

    def read_user_token(self, token: str, now: float) -> "Issued":
        """Check signature, times and claims; raise a `TokenRejected`."""
        ...


@runtime_checkable
class SignsEvents(Protocol):
    """A provider whose server signs the events that it sends. Bodies are as they were received."""

    def sign_event(self, body: bytes) -> Mapping[str, str]:
        """Return the headers with which its server would send an event."""
        ...

    def event_fault(self, body: bytes, signature: str) -> str:
        """Return why a signature is not right for an event, and an empty text where it is."""
        ...


@runtime_checkable
class KeepsPermissions(Protocol):
    """A provider with permissions of its own, which a document of ours may say."""

    @property
    def permissions(self) -> Permissions | None:
        """Those of the document, None without one."""
        ...

    def permissions_call(self, request: Request) -> Call:
        """Return a call about permissions with our credentials."""
        ...

    def export_permissions(self, ask: Ask, version: str | None) -> Mapping[str, Any]:
        """Return what there is, as a document of a version. Raises `UpstreamError`."""
        ...


@runtime_checkable
class SendsEvents(Protocol):
    """A provider whose server sends events to an address that it is told."""

    #: The field of a call's head without which nobody has signed it.
    signature_header: str

    def received(
        self, body: bytes, header: Callable[[str], str | None], *, unsigned: bool
    ) -> Received:
        """Return the event in a call; `header` returns a field of its head, None if absent.

        Raises `WebhookForeign`, `WebhookForged` and `MalformedBody`. With `unsigned` an event may
        come in a form that its sender never signs.
        """
        ...


class Provider(abc.ABC):
    """A provider whose REST API is reached through the sidecar. It is a `Server` too.

    `dialect` belongs to the calls that are forwarded to it, `dialects` to its other
    surfaces, by path below the service prefix. `needed` names the settings without which
    nothing can be forwarded. Calls are forwarded below `/NAME/proxy` and below `mounts`. `app` is
    the one whose users are meant where nobody names another.
    """

    name: str
    needed: str
    mounts: Sequence[str] = ()
    base_url: str | None
    dialect: Dialect
    dialects: Mapping[str, Dialect] = {}
    app: str = DEFAULT_APP

    @abc.abstractmethod
    def authorise(self) -> Credentials:
        """Return the credentials for a forwarded call."""

    def credentials_for(self, path: str) -> Credentials:  # noqa: ARG002
        """Return those for a call to a path at the provider, where one path needs others."""
        return self.authorise()

    @abc.abstractmethod
    def check(self) -> Call:
        """Return a cheap call that succeeds only if the server works and accepts us."""

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Return what an answer says about our own credential.

        `content` is the beginning of the body if this answers `check`, else None: the
        body of a forwarded call belongs to the caller.
        """
        if status == 401:
            return "refused"

        return "accepted" if 200 <= status < 300 else "unknown"

    def fault_in(self, status: int, content: bytes) -> str:  # noqa: ARG002
        """Return what is wrong with the answer to `check`, or an empty text."""
        return "" if 200 <= status < 300 else f"answered {status}."

    def servers(self) -> Sequence[Server]:
        """Return the other servers that this provider needs."""
        return ()

    def mint(self, wanted: Wanted, directory: "Directory | None", now: float) -> Minted:  # noqa: ARG002
        """Make a user token, and the user where the provider's tokens need one.

        `directory` is there where the provider knows users. Raises `CallerError`.
        """
        raise NotServed(f"{self.name} has no user tokens that are made here.")

    def inspect(self, token: str, directory: "Directory | None", now: float) -> Inspection | None:  # noqa: ARG002
        """Return what is known of a user token, None where it is none of this provider's."""
        return None

    def end_token(self, token: str, said: Inspection, directory: "Directory") -> None:  # noqa: ARG002
        """End one user token, of which `inspect` has said this; raise `CallerError`."""
        if said.note:
            raise CallerError(f"It cannot be ended here. {said.note}.")

        if said.token_id is None or said.app is None or said.expires is None:
            raise CallerError("It has no id by which it could be ended: end all of its user.")

        directory.tokens.revoke_token(said.app, said.token_id, said.expires)

    def id_fault(self, user_id: str) -> str:  # noqa: ARG002
        """Return why the provider can have nobody with this id; empty where it can."""
        return ""

    def give(self, person: Person, reach: Reach) -> Given:
        """Make a user token, and the user; return all that its client needs.

        Raises `CallerError`, `UpstreamError`, `NotConfigured`.
        """
        raise NotServed(f"{self.name} has no user tokens that are made here.")

    def who(self, user_id: str, reach: Reach) -> Mapping[str, Any] | None:
        """Return what is known of somebody there, as JSON has it; None where it is nobody.

        Raises `UpstreamError` and its like where that cannot be told.
        """
        assert reach.directory is not None  # noqa: S101 - it is there where it knows users
        user = reach.directory.users.find(self.app, user_id)
        return None if user is None else {"app": user.app_id}

    def end_user(
        self,
        user_id: str,
        app: str,
        reach: Reach,
        *,
        even_unused: bool = False,  # noqa: ARG002
    ) -> Ended:
        """End all tokens that a user of an app has now.

        With `even_unused` also those with which nobody has come to the provider yet, so that it
        does not know the user. Raises `UpstreamError` and its like where one may be good still.
        """
        if reach.directory is None:
            raise NotServed(f"{self.name} has no tokens that can be ended here.")

        if not reach.directory.tokens.revoke_user(app, user_id):
            return Ended("unknown", NO_SUCH_USER)

        TOKENS_REVOKED.add(self.name)
        return Ended()

    def end_everybody(self, app: str, reach: Reach) -> Ended:
        """End all tokens that the users of an app have now; raise as `end_user` does."""
        if reach.directory is None:
            raise NotServed(f"{self.name} has no tokens that can be ended here.")

        is_known = reach.directory.tokens.revoke_app(app)
        return Ended() if is_known else Ended("unknown", f"there is no app {app}")


class CredentialWatch:
    """What the last answers that this worker saw say about our credential.

    If a provider refuses it, no caller can do anything about it.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._counts = UpstreamCounts(provider)
        self.said: Verdict = "unknown"

    @property
    def refused(self) -> bool:
        """Whether the last answer that said anything refused it."""
        return self.said == "refused"

    def saw(self, status: int, verdict: Verdict) -> None:
        """Note an answer."""
        if verdict == "refused":
            self._counts.credential_refused()

        before = self.said

        if verdict not in ("unknown", before):
            self.said = verdict
            self._counts.credential_is(verdict)

        # Only changes are logged: with a bad key every call is refused, and would fill the log.
        if verdict == "refused" and before != "refused":
            log.critical(
                "the provider refuses our own credential: check its key and secret",
                extra={"provider": self._provider, "statusCode": status},
            )
        elif verdict == "accepted" and before == "refused":
            log.warning(
                "the provider accepts our credential again", extra={"provider": self._provider}
            )
