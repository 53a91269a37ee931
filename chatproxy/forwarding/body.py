"""Bodies on their way through, piece by piece.

Every piece is counted and the size is bounded. A body that ends early raises: a part must
never pass for the whole (RFC 9112 section 8).
"""

import time
from collections.abc import Iterator
from typing import Protocol

from chatproxy.errors import BodyTooLarge, MalformedBody, TruncatedBody

#: Bytes read at once, on either side.
PIECE = 64 * 1024

#: Bytes and pieces after which a fast transfer yields to the other requests of its worker. A
#: gevent greenlet runs until it waits, and a transfer whose data is always ready never waits.
TURN = 1024 * 1024
PIECES_A_TURN = 32


class Watched(Protocol):
    """A second connection to watch while waiting for the caller's next bytes."""

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        ...

    def on_readable(self) -> None:
        """Handle what came in; raise to end the wait."""
        ...


class Input(Protocol):
    """Where a caller's body comes from."""

    def read1(self, most: int, watched: Watched | None) -> bytes:
        """Return up to `most` bytes as soon as there are any; nothing at the end."""
        ...


class BytesInput:
    """A body in memory: of a call of the sidecar's own, or one rewritten with credentials."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._read = 0

    def read1(self, most: int, _watched: Watched | None) -> bytes:
        """Return the next bytes, nothing at the end."""
        piece = self._content[self._read : self._read + most]
        self._read += len(piece)
        return piece

    def rewind(self) -> None:
        """Start again from the first byte."""
        self._read = 0


class CallerBody:
    """A request body, read once. `length` is None if it is chunked."""

    def __init__(self, source: Input, length: int | None) -> None:
        self.length = length
        self.received = 0
        self.ended = length == 0
        self.limit: int | None = None
        self._source = source
        self._turns = _Turns()

    @classmethod
    def of_bytes(cls, content: bytes) -> "CallerBody":
        """Make a body of bytes in memory."""
        return cls(BytesInput(content), len(content))

    @property
    def is_replayable(self) -> bool:
        """Say whether the body can be sent a second time."""
        return isinstance(self._source, BytesInput)

    def rewind(self) -> None:
        """Start again from the first byte, if the body is replayable."""
        if isinstance(self._source, BytesInput):
            self._source.rewind()
            self.received = 0
            self.ended = self.length == 0

    def limit_to(self, limit: int) -> None:
        """Set the largest size; raise `BodyTooLarge` if the declared length exceeds it."""
        self.limit = limit

        if self.length is not None and self.length > limit:
            raise BodyTooLarge(f"The body is larger than {limit} bytes.")

    def read(self, watched: Watched | None = None) -> bytes:
        """Return the next piece, nothing at the end.

        Raises `TruncatedBody`, `MalformedBody`, `BodyStalled`, `BodyTooLarge`, and
        whatever `watched` raises.
        """
        if self.ended:
            return b""

        most = PIECE if self.length is None else min(PIECE, self.length - self.received)
        piece = self._source.read1(most, watched)
        self.received += len(piece)
        self._turns.count(piece)

        # A chunked body declares no length, so only the count can tell that it is too large.
        if self.limit is not None and self.received > self.limit:
            raise BodyTooLarge(f"The body is larger than {self.limit} bytes.")

        # gunicorn ends a cut body of known length like a whole one: with an empty read.
        if not piece and self.length is not None:
            raise TruncatedBody("The body ended before its announced length.")

        self.ended = not piece or self.received == self.length
        return piece

    def read_all(self, limit: int) -> bytes:
        """Return the whole body; raise as `limit_to` and `read` do."""
        self.limit_to(limit)
        return b"".join(iter(self.read, b""))


def framing(content_length: str | None, transfer_encoding: str | None) -> tuple[bool, int | None]:
    """Return whether a request has a body, and its length, None for chunked (RFC 9112 6.3)."""
    # gunicorn has refused ambiguous framing by now (both fields, a list of lengths, a sign). It
    # passes on further codings, such as `gzip, chunked`, which nothing here would decode.
    if transfer_encoding is not None:
        if transfer_encoding.strip().lower() != "chunked":
            raise MalformedBody("The only transfer coding understood is `chunked`.")

        return True, None

    if content_length is None:
        return False, 0

    return True, int(content_length)


def taking_turns(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pass the pieces on, and let other requests run in between."""
    turns = _Turns()

    for piece in pieces:
        yield piece
        turns.count(piece)


class _Turns:
    def __init__(self) -> None:
        self._moved = 0

    def count(self, piece: bytes) -> None:
        # Each piece has a fixed cost, so a stream of one-byte pieces has to yield as well.
        self._moved += max(len(piece), TURN // PIECES_A_TURN)

        if self._moved >= TURN:
            self._moved = 0
            time.sleep(0)  # under gevent: back to the event loop
