"""Everything that can go wrong, and the status that each failure becomes.

    ChatproxyError
    ├── SettingsError           the start stops; every problem is listed
    ├── CallerError       400   the caller's own fault
    │   ├── BadTarget     400   a path that could leave its place
    │   ├── NotFound      404
    │   ├── WrongMethod   405
    │   ├── MalformedBody 400   framing or content that cannot be read
    │   │   └── InvalidBody 400 content that is not what the endpoint takes; says where
    │   ├── Unauthenticated 401 no credential, or not one of ours
    │   │   └── TokenRejected 401   a user token that is not valid (any more)
    │   ├── Forbidden     403   the credential is good, and not for this
    │   ├── Conflict      409   what is asked for belongs to somebody else
    │   ├── TruncatedBody 400   the caller stopped before the announced end
    │   ├── BodyStalled   408   the caller sent nothing for too long
    │   ├── BodyTooLarge  413
    │   ├── UnsupportedBody 415 a body of a type into which no credential can be put
    │   └── TooManyRequests 429 above a limit; says when to come again
    ├── CallerLeft        499   nobody is waiting for the answer; for the log alone
    ├── UpstreamError     502
    │   ├── UpstreamUnreachable 502   no connection: name, route, refusal or TLS
    │   ├── UpstreamBroken      502   reset, or an answer that is not HTTP
    │   └── UpstreamTimeout     504
    ├── NotServed         501   known, and not done here
    ├── NotConfigured     503   a setting that this needs is not set
    ├── DirectoryUnavailable 503   the directory cannot be asked, so nothing is known
    ├── LimiterUnavailable   503   the counters cannot be asked, and the settings say to refuse
    └── AnswerBroken            the answer broke after its first byte went out

An error has two texts. `message` is for the caller: it names no address and no
secret. `detail` is for the log. `side` names who broke the exchange. `headers` go
with the answer.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

Side = Literal["caller", "upstream", "sidecar", "directory"]


class ChatproxyError(Exception):
    """The root: a failure that chatproxy itself has recognised."""

    status: ClassVar[int] = 500
    side: ClassVar[Side] = "sidecar"

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.headers: Mapping[str, str] = {}


class SettingsError(ChatproxyError):
    """The settings cannot be used. `problems` holds one line for each fault."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"chatproxy cannot start: {count} in the settings{lines}")


class CallerError(ChatproxyError):
    """The caller sent something that cannot be served."""

    status = 400
    side = "caller"


class BadTarget(CallerError):
    """The request target could mean another place than the one it names."""


class NotFound(CallerError):
    """Nothing is served at this path."""

    status = 404


class WrongMethod(CallerError):
    """The path exists, the method does not. `allowed` goes into `Allow`."""

    status = 405

    def __init__(self, message: str, *, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.headers = {"Allow": ", ".join(allowed)}


class MalformedBody(CallerError):
    """The body's framing or content cannot be read."""


@dataclasses.dataclass(frozen=True)
class Issue:
    """One fault in a body: the names and positions that lead there, and the reason."""

    path: tuple[str | int, ...]
    message: str


class InvalidBody(MalformedBody):
    """The body can be read, and is not what the endpoint takes. `issues` holds every fault."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        first = issues[0]
        place = ".".join(str(one) for one in first.path)
        super().__init__(f"{place}: {first.message}" if place else first.message)
        self.issues = tuple(issues)


class TruncatedBody(CallerError):
    """The body ended before its announced end, so it must not be taken as whole."""


class Unauthenticated(CallerError):
    """The request carries no credential, or none that is known here."""

    status = 401


class TokenRejected(Unauthenticated):
    """A user token is not valid. The subclasses say why."""


class TokenMalformed(TokenRejected):
    """It is no token at all, or lacks a claim that it needs."""


class TokenForged(TokenRejected):
    """None of our keys made its signature."""


class TokenUnknown(TokenRejected):
    """It is of a kind that is found by look-up, and nobody was bound to it."""


class TokenExpired(TokenRejected):
    """It was good, and its time is over."""


class TokenRevoked(TokenRejected):
    """It was good, and was called back: by its id, or with all tokens of its user or app."""


class TokenOfAnotherApp(TokenRejected):
    """It names an app that is not known here, or not the one that the key is for."""


class Forbidden(CallerError):
    """The credential is a good one, and not for this."""

    status = 403


class Conflict(CallerError):
    """What is asked for belongs to somebody else already."""

    status = 409


class IdentityError(CallerError):
    """The directory cannot do what is asked; the message says what to do instead."""


class TooManyRequests(CallerError):
    """A limit is used up. `headers` say when to come again (RFC 6585 section 4)."""

    status = 429

    def __init__(self, message: str, *, retry_after: int, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.headers = {"Retry-After": str(retry_after), **headers}


class BodyStalled(CallerError):
    """The caller sent no byte of its body for too long, or took too long in all."""

    status = 408


class UnsupportedBody(CallerError):
    """The body is of a type into which the provider's credentials cannot be put."""

    status = 415


class BodyTooLarge(CallerError):
    """The body is above the limit that the settings name."""

    status = 413


class CallerLeft(ChatproxyError):
    """The caller closed its connection before the answer (nginx's 499)."""

    status = 499
    side = "caller"


class UpstreamError(ChatproxyError):
    """The provider could not be asked, or its answer could not be used."""

    status = 502
    side = "upstream"


class UpstreamUnreachable(UpstreamError):
    """No connection could be made, so nothing was sent."""


class UpstreamBroken(UpstreamError):
    """The connection broke or the answer is not valid HTTP.

    `nothing_sent` is true where the system took not one byte of the request, and
    `answer_begun` where at least one byte of an answer arrived: the two facts on
    which a repetition is decided.
    """

    def __init__(
        self, message: str, *, detail: str = "", nothing_sent: bool = False, answer_begun: bool
    ) -> None:
        super().__init__(message, detail=detail)
        self.nothing_sent = nothing_sent
        self.answer_begun = answer_begun


class UpstreamTimeout(UpstreamError):
    """A time limit passed before the answer's headers were complete."""

    status = 504


class NotServed(ChatproxyError):
    """The provider's interface has this, and it is not the sidecar's to do."""

    status = 501


class NotConfigured(ChatproxyError):
    """This needs a setting that is not set."""

    status = 503


class DirectoryUnavailable(ChatproxyError):
    """The directory cannot be asked: it is away, full, busy for too long, or has no schema.

    Whatever depends on it is refused: a revoked token must not pass because nobody
    could look.
    """

    status = 503
    side = "directory"

    def __init__(self, message: str = "The directory cannot be asked.", *, detail: str) -> None:
        super().__init__(message, detail=detail)
        self.headers = {"Retry-After": "1"}


class LimiterUnavailable(ChatproxyError):
    """The shared counters cannot be asked, and the settings say to refuse then."""

    status = 503

    def __init__(self, message: str, *, detail: str) -> None:
        super().__init__(message, detail=detail)
        self.headers = {"Retry-After": "1"}


class AnswerBroken(ChatproxyError):
    """The answer broke after its first byte went out: the connection must be cut.

    It is no `OSError` on purpose: the server files an `OSError` from the answer
    under trouble with the caller's socket, and the wrong side would be blamed.
    """

    side = "upstream"
