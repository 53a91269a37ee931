"""An answer on its way out: head and body as bytes."""

from collections.abc import Iterator
from email.utils import formatdate

import h11

from .answers import BODILESS, Answer, phrase
from .wire import JOIN_BELOW, Wire


class Outgoing:
    """Framed by h11: `head`, the `framed` pieces of the body, and a `tail` such as a last chunk."""

    def __init__(self, wire: Wire, answer: Answer, method: str) -> None:
        self.wire = wire
        self.answer = answer
        self.head = wire.http.send(_response(answer))
        silent = method == "HEAD" or answer.status in BODILESS
        self.framed: Iterator[bytes] = iter(()) if silent else self._framed()

    def send(self) -> None:
        """Write all of it; head and first piece travel together."""
        waiting = self.head
        for part in self.framed:
            self.wire.write(waiting, part)
            waiting = b""

        self.wire.write(waiting, self.tail())

    def tail(self) -> bytes:
        """Return what ends the message."""
        return self.wire.http.send(h11.EndOfMessage()) or b""

    def _framed(self) -> Iterator[bytes]:
        for piece in self.answer.body:
            parts = self.wire.http.send_with_data_passthrough(h11.Data(data=piece)) or []
            if len(piece) > JOIN_BELOW:
                yield from parts
            else:
                yield b"".join(parts)


def _response(answer: Answer) -> h11.Response:
    """Return the head; without a length h11 chooses chunked, or the close where the peer is old."""
    headers = [(b"date", formatdate(usegmt=True).encode()), *answer.headers]
    if answer.size is not None and answer.status not in BODILESS:
        headers.append((b"content-length", b"%d" % answer.size))

    reason = phrase(answer.status, "Unassigned").encode()
    return h11.Response(status_code=answer.status, headers=headers, reason=reason)
