"""Bodies on their way through, piece by piece: counted, bounded, never taken for whole."""

import time
from collections.abc import Iterator
from typing import Protocol

from chatproxy.errors import BodyTooLarge, MalformedBody, TruncatedBody

#: Bytes asked for at once.
PIECE = 64 * 1024

#: Bytes and pieces after which a fast transfer lets the other requests of its worker have
#: a turn: it never has to wait, so the worker would serve nobody else until it ends.
TURN = 1024 * 1024
PIECES_A_TURN = 32


class Meanwhile(Protocol):
    """Something else to watch while waiting for the caller's next bytes."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""
        ...

    def look(self) -> None:
        """Look at what came in; raise to end the waiting."""
        ...


class Input(Protocol):
    """Where a caller's body comes from."""

    def read1(self, most: int, meanwhile: Meanwhile | None) -> bytes:
        """Return the next bytes as they arrive, at most `most`; nothing at the end."""
        ...


class HeldInput:
    """Bytes that are at hand: the body of a call that the sidecar makes for itself."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._read = 0

    def read1(self, most: int, _meanwhile: Meanwhile | None) -> bytes:
        """Return the next bytes, nothing at the end."""
        piece = self._content[self._read : self._read + most]
        self._read += len(piece)
        return piece

    def rewind(self) -> None:
        """Begin anew."""
        self._read = 0


class CallerBody:
    """A request body, read once. `length` is None where it is chunked.

    Short of its length the end is an error: the server in front ends a cut body
    quietly, and a part would pass for the whole.
    """

    def __init__(self, source: Input, length: int | None) -> None:
        self.length = length
        self.received = 0
        self.ended = length == 0
        self.limit: int | None = None
        self._source = source
        self._turns = _Turns()

    @classmethod
    def held(cls, content: bytes) -> "CallerBody":
        """Make a body of bytes that are at hand."""
        return cls(HeldInput(content), len(content))

    @property
    def is_held(self) -> bool:
        """Say whether it can be sent again."""
        return isinstance(self._source, HeldInput)

    def rewind(self) -> None:
        """Begin anew, where the bytes are at hand."""
        if isinstance(self._source, HeldInput):
            self._source.rewind()
            self.received = 0
            self.ended = self.length == 0

    def limit_to(self, limit: int) -> None:
        """Set the largest size; raise `BodyTooLarge` where the length already says more."""
        self.limit = limit

        if self.length is not None and self.length > limit:
            raise BodyTooLarge(f"The body is larger than {limit} bytes.")

    def read(self, meanwhile: Meanwhile | None = None) -> bytes:
        """Return the next piece, nothing at the end.

        Raises `TruncatedBody`, `MalformedBody`, `BodyStalled`, `BodyTooLarge`, and
        whatever `meanwhile` raises.
        """
        if self.ended:
            return b""

        piece = self._source.read1(self._ask_for(), meanwhile)
        self.received += len(piece)
        self._turns.moved(piece)
        self._check_size()

        if not piece and self.length is not None:
            raise TruncatedBody("The body ended before its announced length.")

        self.ended = not piece or self.received == self.length
        return piece

    def read_all(self, limit: int) -> bytes:
        """Return the whole body, for the endpoints that answer by themselves."""
        self.limit_to(limit)
        return b"".join(iter(self.read, b""))

    def _ask_for(self) -> int:
        return PIECE if self.length is None else min(PIECE, self.length - self.received)

    def _check_size(self) -> None:
        if self.limit is not None and self.received > self.limit:
            raise BodyTooLarge(f"The body is larger than {self.limit} bytes.")


def framing(content_length: str | None, transfer_encoding: str | None) -> tuple[bool, int | None]:
    """Say whether a request has a body, and its length, None for chunked (RFC 9112 section 6.3).

    The server in front has refused what is ambiguous; what is left to refuse here
    is a coding other than `chunked`.
    """
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
        turns.moved(piece)


class _Turns:
    """Gives the other requests a turn. A tiny piece costs as much time as a small one."""

    def __init__(self) -> None:
        self._moved = 0

    def moved(self, piece: bytes) -> None:
        """Count a piece."""
        self._moved += max(len(piece), TURN // PIECES_A_TURN)

        if self._moved >= TURN:
            self._moved = 0
            time.sleep(0)
