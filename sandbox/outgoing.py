"""An answer on its way out: head and body as bytes, open to tampering until they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import formatdate
from http import HTTPStatus

import h11

from .answers import BODILESS, Answer
from .wire import JOIN_BELOW, Wire


class Outgoing:
    """Framed by h11 at first; a fault may edit `head`, replace `framed` or drop `tail`.

    A fault that leaves the message invalid sets `broken`, and the connection ends after it.
    """

    def __init__(self, wire: Wire, answer: Answer, method: str) -> None:
        self.wire = wire
        self.answer = answer
        self.head = wire.http.send(_response(answer))
        silent = method == "HEAD" or answer.status in BODILESS
        self.framed: Iterator[bytes] = iter(()) if silent else self._framed()
        self.tail: Callable[[], bytes] = self._tail
        self.broken = False

    def insert(self, *lines: bytes) -> None:
        """Put raw lines below the status line, whatever they hold."""
        first, rest = self.head.split(b"\r\n", 1)
        self.head = b"\r\n".join([first, *lines, rest])
        self.broken = True

    def drop(self, *names: bytes) -> None:
        """Take header lines out of the head."""
        lines = self.head.split(b"\r\n")
        kept = [line for line in lines if line.split(b":")[0].lower() not in names]
        self.head = b"\r\n".join(kept)
        self.broken = True

    def send(self) -> None:
        """Write all of it; head and first piece travel together."""
        waiting = self.head
        for part in self.framed:
            self.wire.write(waiting, part)
            waiting = b""

        self.wire.write(waiting, self.tail())

    def send_half(self) -> None:
        """Write the head and about half of the body: the first piece where there are more."""
        self.wire.write(self.head)
        part = next(self.framed, b"")
        half = (self.answer.size or 0) // 2
        self.wire.write(part[:half] if half < len(part) and self.answer.size else part)

    def _framed(self) -> Iterator[bytes]:
        for index, piece in enumerate(self.answer.body):
            if index and self.answer.interval:
                self.wire.wait(self.answer.interval)

            parts = self.wire.http.send_with_data_passthrough(h11.Data(data=piece)) or []
            if len(piece) > JOIN_BELOW:
                yield from parts
            else:
                yield b"".join(parts)

    def _tail(self) -> bytes:
        return self.wire.http.send(h11.EndOfMessage()) or b""


def _response(answer: Answer) -> h11.Response:
    """Return the head; without a length h11 chooses chunked, or the close where the peer is old."""
    headers = [(b"date", formatdate(usegmt=True).encode()), *answer.headers]
    if answer.size is not None and answer.status not in BODILESS:
        headers.append((b"content-length", b"%d" % answer.size))

    return h11.Response(status_code=answer.status, headers=headers, reason=_reason(answer.status))


def _reason(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b"Unassigned"
