"""Everything that can go wrong, and the status that each failure becomes.

    ChatproxyError
    ├── SettingsError           the start stops; every problem is listed
    ├── CallerError       400   the caller's own fault
    │   ├── BadTarget     400   a path that could leave its place
    │   ├── NotFound      404
    │   ├── WrongMethod   405
    │   ├── MalformedBody 400   framing or content that cannot be read
    │   ├── TruncatedBody 400   the caller stopped before the announced end
    │   ├── BodyStalled   408   the caller sent nothing for too long
    │   └── BodyTooLarge  413
    ├── CallerLeft        499   nobody is waiting for the answer; for the log alone
    ├── UpstreamError     502
    │   ├── UpstreamUnreachable 502   no connection: name, route, refusal or TLS
    │   ├── UpstreamBroken      502   reset, or an answer that is not HTTP
    │   └── UpstreamTimeout     504
    └── AnswerBroken            the answer broke after its first byte went out

An error has two texts. `message` is for the caller: it names no address and no
secret. `detail` is for the log. `side` names who broke the exchange.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

Side = Literal["caller", "upstream", "sidecar"]


class ChatproxyError(Exception):
    """The root: a failure that chatproxy itself has recognised."""

    status: ClassVar[int] = 500
    side: ClassVar[Side] = "sidecar"

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
    """The request target could mean another place than the one it names."""


class NotFound(CallerError):
    """Nothing is served at this path."""

    status = 404


class WrongMethod(CallerError):
    """The path exists, the method does not. `allowed` goes into `Allow`."""

    status = 405

    def __init__(self, message: str, *, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


class MalformedBody(CallerError):
    """The body's framing or content cannot be read."""


class TruncatedBody(CallerError):
    """The body ended before its announced end, so it must not be taken as whole."""


class BodyStalled(CallerError):
    """The caller sent no byte of its body for too long, or took too long in all."""

    status = 408


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


class AnswerBroken(ChatproxyError):
    """The answer broke after its first byte went out: the connection must be cut.

    It is no `OSError` on purpose: the server files an `OSError` from the answer
    under trouble with the caller's socket, and the wrong side would be blamed.
    """

    side = "upstream"
