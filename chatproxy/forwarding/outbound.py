"""Calls of the sidecar's own, to a server that it depends on."""

from collections.abc import Callable
from typing import NamedTuple

from chatproxy.errors import AnswerBroken, UpstreamError
from chatproxy.forwarding import Way
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.headers import Fields, value_of
from chatproxy.forwarding.session import AnswerStream, send
from chatproxy.forwarding.timeouts import Deadline, Limits

#: Bytes of an answer that are read. A check needs only the beginning, and a server that is
#: broken or taken over could send without end.
ENOUGH = 64 * 1024


class Answered(NamedTuple):
    """An answer: its status, its body as far as it was read, and its fields as they came."""

    status: int
    content: bytes
    fields: Fields

    def field(self, name: str) -> str | None:
        """Return the first value of a field, None where there is none."""
        return value_of(self.fields, name.lower())


def ask(way: Way, call: Call, limits: Limits, monotonic: Callable[[], float]) -> tuple[int, bytes]:
    """Make the call; return the status and the beginning of the body. Raises `UpstreamError`."""
    status, content, _ = _exchange(way, call, limits, monotonic, ENOUGH)
    return status, content


def ask_fully(
    way: Way, call: Call, limits: Limits, monotonic: Callable[[], float], most: int
) -> Answered:
    """Make the call; return the answer, of its body so many bytes. Raises `UpstreamError`."""
    status, content, stream = _exchange(way, call, limits, monotonic, most)
    return Answered(status, content, stream.fields)


def _exchange(
    way: Way, call: Call, limits: Limits, monotonic: Callable[[], float], most: int
) -> tuple[int, bytes, AnswerStream]:
    call.fields = [("Host", way.upstream.authority), *call.fields]
    call.address(way.upstream, Deadline(limits.for_a_short_answer(), monotonic))
    response, pieces = send(way.session, call)
    content = b""

    try:
        for piece in pieces:
            content += piece

            if len(content) >= most:
                break
    except AnswerBroken as error:
        raise UpstreamError(error.message, detail=error.detail) from error
    finally:
        pieces.close()  # gives up the connection, unless the answer was read to its end

    return response.status_code, content, pieces
