"""Every error of chatproxy, and the HTTP status that each becomes.

    ChatproxyError                500
    ├── SettingsError                 the start stops; every problem is listed
    ├── CallerError               400 the caller's own fault
    │   ├── BadTarget             400 a path that servers could read differently
    │   ├── NotFound              404
    │   ├── WrongMethod           405
    │   ├── MalformedBody         400 framing or content that cannot be read
    │   │   └── InvalidBody       400 content that does not fit the endpoint's schema
    │   ├── TruncatedBody         400 the caller stopped before the announced end
    │   ├── BodyStalled           408 the caller sent nothing for too long
    │   ├── BodyTooLarge          413
    │   ├── UnsupportedBody       415 a body of a type into which no credential can be put
    │   ├── CallerAmbiguous       400 two different keys of the access document in one request
    │   ├── Unauthenticated       401 no credential, or not one of ours
    │   │   ├── CallerUnknown     401 no key of the access document
    │   │   ├── WebhookForged     401 an event that its provider has not signed
    │   │   └── TokenRejected     401 a user token that is not valid (any more)
    │   │       ├── TokenMalformed        no token at all, or one that lacks a claim
    │   │       ├── TokenForged           none of our keys made its signature
    │   │       ├── TokenUnknown          of the kind that is looked up, and not found
    │   │       ├── TokenExpired          it was valid once
    │   │       ├── TokenRevoked          it was valid once
    │   │       └── TokenOfAnotherApp     its app is unknown, or not the key's
    │   ├── Forbidden             403 the credential is valid, but not for this
    │   │   ├── CallerNotAllowed  403 the access document does not allow it
    │   │   └── WebhookForeign    403 an event for another application
    │   ├── CrossSite             403 sent by a web page of another site
    │   ├── Misdirected           421 sent to a host that is not ours
    │   ├── Conflict              409 what is asked for belongs to somebody else
    │   ├── IdentityError         400 the directory cannot do what a command asks for
    │   ├── TooManyRequests       429 above a limit; says when to try again
    │   │   └── CallerLimited     429 above the limit of a caller of the access document
    │   └── NoRoom                507 as much is kept for callers as may be
    ├── CallerLeft                499 nobody is waiting for the answer; for the log only
    ├── UpstreamError             502
    │   ├── UpstreamUnreachable   502 no connection: name, route, refusal or TLS
    │   │   └── ProxyUnreachable  502 it was the outbound proxy that failed
    │   ├── UpstreamBusy          503 above the limit that the provider sets for us
    │   ├── UpstreamBroken        502 reset, or an answer that is not HTTP
    │   └── UpstreamTimeout       504
    │       └── ProxyTimeout      504 it was the outbound proxy that failed
    ├── NotServed                 501 part of the provider's interface, but not served here
    ├── NotConfigured             503 a setting that this needs is not set
    ├── DirectoryUnavailable      503 the directory does not answer, so nothing can be checked
    ├── LimiterUnavailable        503 Redis does not answer, and the settings say to refuse then
    ├── ShuttingDown              503 not done when the time for a stop was over
    ├── StillUnderWay             503 another delivery of the same event takes too long
    ├── TooMuchHeld               503 no memory is left for one more body
    └── AnswerBroken                  the answer broke after its first byte went out

A provider derives its own errors from these, in its `errors` module.

An error has two texts. `message` is for the caller and names no address and no secret; `detail`
is for the log. `side` says who broke the exchange. `headers` go with the answer.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

#: Both outages that use this end by themselves: a locked database, a Redis that restarts.
RETRY_SOON = {"Retry-After": "1"}

Side = Literal["caller", "upstream", "proxy", "sidecar", "directory"]


class ChatproxyError(Exception):
    """The base of all errors."""

    status: ClassVar[int] = 500
    side: ClassVar[Side] = "sidecar"
    headers: Mapping[str, str] = {}

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


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
    """The request target is malformed, or two servers could read it differently."""


class NotFound(CallerError):
    """Nothing is served at this path."""

    status = 404


class WrongMethod(CallerError):
    """The path exists, the method does not. `allowed` goes into `Allow`."""

    status = 405

    def __init__(self, message: str, *, allowed: Sequence[str]) -> None:
        super().__init__(message)
        # A 405 has to have the field (RFC 9110 section 15.5.6).
        self.headers = {"Allow": ", ".join(allowed)}


class MalformedBody(CallerError):
    """The body's framing or content cannot be read."""


#: What can be wrong with a value in a body. Some providers have a code for each kind but `other`.
FaultKind = Literal[
    "required", "type", "url", "email", "too short", "too long", "characters", "other"
]


@dataclasses.dataclass(frozen=True)
class Issue:
    """One fault in a body: the path of names and indexes that leads to it, and the reason."""

    path: tuple[str | int, ...]
    message: str
    kind: FaultKind = "other"


class InvalidBody(MalformedBody):
    """The body does not fit the endpoint's schema. `issues` holds every fault."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        first = issues[0]
        place = ".".join(str(one) for one in first.path)
        super().__init__(f"{place}: {first.message}" if place else first.message)
        self.issues = tuple(issues)


class TruncatedBody(CallerError):
    """The body ended early, so it must not be taken for the whole."""


class Unauthenticated(CallerError):
    """The request carries no credential, or none that is known here."""

    status = 401


class CallerAmbiguous(CallerError):
    """Two different keys of the access document are in one request."""


class CallerUnknown(Unauthenticated):
    """The access document has no caller with this key, or there is no key."""

    # A 401 has to have the field (RFC 9110 section 15.5.2).
    headers = {"WWW-Authenticate": 'Bearer realm="chatproxy"'}  # noqa: RUF012 - as in the base


class WebhookForged(Unauthenticated):
    """The provider has not signed this event. `verdict` is what is counted."""

    def __init__(
        self, message: str, *, verdict: Literal["invalid", "unsigned"] = "invalid"
    ) -> None:
        super().__init__(message)
        self.verdict = verdict


class TokenRejected(Unauthenticated):
    """A user token is not valid. The subclasses say why."""


class TokenMalformed(TokenRejected):
    """It is not a token at all, or lacks a required claim."""


class TokenForged(TokenRejected):
    """None of our keys made its signature."""


class TokenUnknown(TokenRejected):
    """It is of the kind that is looked up, and was not found."""


class TokenExpired(TokenRejected):
    """It was valid, and its time is over."""


class TokenRevoked(TokenRejected):
    """It was valid, and was revoked: by its id, or with all tokens of its user or app."""


class TokenOfAnotherApp(TokenRejected):
    """Its app is unknown, or is not the one that the key is for."""


class Forbidden(CallerError):
    """The credential is valid, but not for this."""

    status = 403


class CallerNotAllowed(Forbidden):
    """The access document does not allow the caller this. `detail` says why."""


class WebhookForeign(Forbidden):
    """The event is for another application of the provider."""

    verdict = "foreign"


class CrossSite(CallerError):
    """A web page of another site sent the request, in the browser of somebody who can reach us."""

    status = 403


class Misdirected(CallerError):
    """The request names a host that is not ours (RFC 9110 section 15.5.20)."""

    status = 421


class Conflict(CallerError):
    """What is asked for belongs to somebody else already."""

    status = 409


class IdentityError(CallerError):
    """The directory cannot do what is asked; the message says what to do instead."""


#: What is limited: the tokens that are issued, failed authentications, the calls of a caller.
Limit = Literal["tokens", "failures", "caller"]


class TooManyRequests(CallerError):
    """A limit is used up; `headers` say when to try again (RFC 6585 section 4)."""

    status = 429

    def __init__(
        self,
        message: str,
        *,
        retry_after: int,
        headers: Mapping[str, str],
        limit: Limit = "caller",
    ) -> None:
        super().__init__(message)
        self.limit = limit
        self.retry_after = retry_after
        self.headers = {"Retry-After": str(retry_after), **headers}


class CallerLimited(TooManyRequests):
    """The limit that the access document sets for a caller is used up."""

    @classmethod
    def of(cls, error: TooManyRequests) -> "CallerLimited":
        """Make one of what the limiter says."""
        return cls(error.message, retry_after=error.retry_after, headers=error.headers)


class NoRoom(CallerError):
    """As much is kept for callers without a credential as may be (RFC 4918 section 11.5)."""

    status = 507


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
    """The provider could not be reached, or its answer could not be used."""

    status = 502
    side: ClassVar[Side] = "upstream"


class UpstreamUnreachable(UpstreamError):
    """No connection could be made, so nothing was sent."""


class UpstreamBroken(UpstreamError):
    """The connection broke or the answer is not valid HTTP.

    Two facts decide whether the request may be repeated. `nothing_sent`: the system did not accept
    a single byte of it. `answer_begun`: at least one byte of an answer has arrived.
    """

    def __init__(
        self, message: str, *, detail: str = "", nothing_sent: bool = False, answer_begun: bool
    ) -> None:
        super().__init__(message, detail=detail)
        self.nothing_sent = nothing_sent
        self.answer_begun = answer_begun


class UpstreamBusy(UpstreamError):
    """The provider answers that we call it too often. It is no limit of the caller's."""

    status = 503
    # Limits are counted by the minute.
    headers = {"Retry-After": "60"}  # noqa: RUF012 - as in the base


class UpstreamTimeout(UpstreamError):
    """A time limit passed before the answer's headers were complete."""

    status = 504


class ProxyUnreachable(UpstreamUnreachable):
    """The outbound proxy could not be reached, or did not connect us."""

    side = "proxy"


class ProxyTimeout(UpstreamTimeout):
    """The outbound proxy did not connect us in time."""

    side = "proxy"


class NotServed(ChatproxyError):
    """The provider's interface has this, but the sidecar does not serve it."""

    status = 501


class NotConfigured(ChatproxyError):
    """This needs a setting that is not set."""

    status = 503


class DirectoryUnavailable(ChatproxyError):
    """The directory cannot be used: it is away, full, locked for too long, or has no schema.

    What depends on it is refused. Else a revoked token would pass during an outage.
    """

    status = 503
    side = "directory"
    headers = RETRY_SOON

    def __init__(self, message: str = "The directory cannot be asked.", *, detail: str) -> None:
        super().__init__(message, detail=detail)


class LimiterUnavailable(ChatproxyError):
    """Redis does not answer, and the settings say to refuse then."""

    status = 503
    headers = RETRY_SOON


class ShuttingDown(ChatproxyError):
    """The sidecar ends, and can wait no longer for the end of this."""

    status = 503

    def __init__(self) -> None:
        super().__init__("The sidecar is being stopped.")


class StillUnderWay(ChatproxyError):
    """Another delivery of the same event is under way, and has taken too long to be waited for."""

    status = 503
    headers = RETRY_SOON


class TooMuchHeld(ChatproxyError):
    """As many bytes of bodies are held in memory as may be."""

    status = 503
    headers = RETRY_SOON


class AnswerBroken(ChatproxyError):
    """The answer broke after its first byte went out, so the connection must be cut."""

    # Not an `OSError`, as requests' exceptions are: gunicorn takes an `OSError` from the answer's
    # iterable for trouble with the caller's socket, and the log would blame the wrong side.
    side = "upstream"
