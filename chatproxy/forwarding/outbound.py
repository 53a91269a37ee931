"""Calls of the sidecar's own, to a server that it depends on."""

from collections.abc import Callable

from chatproxy.errors import AnswerBroken, UpstreamError
from chatproxy.forwarding import Way
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.session import send
from chatproxy.forwarding.timeouts import Deadline, Limits

#: Bytes of an answer that are read. A check needs only the beginning, and a server that is
#: broken or taken over could send without end.
ENOUGH = 64 * 1024


def ask(way: Way, call: Call, limits: Limits, monotonic: Callable[[], float]) -> tuple[int, bytes]:
    """Make the call; return the status and the beginning of the body. Raises `UpstreamError`."""
    call.fields = [("Host", way.upstream.authority), *call.fields]
    call.address(way.upstream, Deadline(limits.for_a_short_answer(), monotonic))
    response, pieces = send(way.session, call)
    content = b""

    try:
        for piece in pieces:
            content += piece

            if len(content) >= ENOUGH:
                break
    except AnswerBroken as error:
        raise UpstreamError(error.message, detail=error.detail) from error
    finally:
        pieces.close()  # gives up the connection, unless the answer was read to its end

    return response.status_code, content
