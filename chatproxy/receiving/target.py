"""Where received events are handed on to."""

from collections.abc import Callable, Iterable

from chatproxy.errors import AnswerBroken, UpstreamError, UpstreamTimeout
from chatproxy.forwarding import Way
from chatproxy.forwarding.body import CallerBody
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.headers import Fields, value_of
from chatproxy.forwarding.session import connect_by, reach, send
from chatproxy.forwarding.target import Target as Path
from chatproxy.forwarding.timeouts import Deadline, Limits
from chatproxy.receiving.once import Answer
from chatproxy.settings.files import MountedFile

LATE = "The target of webhooks did not answer in time."
UNREACHABLE = "The target of webhooks could not be reached."
AWAY = "The target of webhooks could not be reached, or its answer could not be read."
MOVED = "The target of webhooks redirects, which is not followed."


class Whole(Deadline):
    """A deadline for a call as a whole: neither upload nor answer have time of their own."""

    def extend(self, seconds: float) -> None:  # noqa: ARG002
        """Raise `UpstreamTimeout` if the time is over."""
        self.remaining(at_most=self.limits.total)

    def start_body(self) -> None:
        """Go on with what is left."""


class Target:
    """One URL, and the way there. `path` is the URL's; `most` bytes of an answer are read."""

    def __init__(
        self, way: Way, path: str, limits: Limits, monotonic: Callable[[], float], most: int
    ) -> None:
        self._way = way
        self._path = path
        self._limits = limits
        self._monotonic = monotonic
        self._most = most

    def take(self, fields: Fields, event: CallerBody) -> Answer:
        """Hand an event on; raise `UpstreamError` and `UpstreamTimeout` if it was not answered."""
        call = Call("POST", Path(self._path, None), self._addressed(fields), event)
        call.address(self._way.upstream, Whole(self._limits, self._monotonic))

        try:
            return self._sent(call)
        except UpstreamTimeout as error:
            raise UpstreamTimeout(LATE, detail=error.detail or error.message) from error
        except (UpstreamError, AnswerBroken) as error:
            message = MOVED if error.message == MOVED else AWAY
            raise UpstreamError(message, detail=error.detail or error.message) from error

    def ping(self) -> None:
        """Raise `UpstreamError` if it cannot be reached. It is asked nothing."""
        # Any request could be taken for an event.
        try:
            reach(self._way.session, Whole(self._limits, self._monotonic))
        except UpstreamTimeout as error:
            raise UpstreamTimeout(LATE, detail=error.detail) from error
        except UpstreamError as error:
            raise UpstreamError(UNREACHABLE, detail=error.detail or error.message) from error

    def connect_by(self, ca_file: MountedFile | None) -> None:
        """Open further connections with other certificates."""
        connect_by(self._way.session, ca_file, None)

    def close(self) -> None:
        """Close the idle connections."""
        self._way.session.close()

    def _addressed(self, fields: Fields) -> Fields:
        return [("Host", self._way.upstream.authority), *fields]

    def _sent(self, call: Call) -> Answer:
        response, pieces = send(self._way.session, call)

        try:
            if 300 <= response.status_code < 400:
                raise UpstreamError(MOVED)

            media = value_of(pieces.fields, "content-type") or ""
            return Answer(response.status_code, media, self._read(pieces))
        finally:
            pieces.close()  # gives up the connection, unless the answer was read to its end

    def _read(self, pieces: Iterable[bytes]) -> bytes | None:
        content = bytearray()

        for piece in pieces:
            content += piece

            # A part of it could be read as another answer.
            if len(content) > self._most:
                return None

        return bytes(content)
