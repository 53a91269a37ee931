"""Bodies on their way through, piece by piece.

Every piece is counted and the size is bounded. A body that ends early raises: a part must
never pass for the whole (RFC 9112 section 8).
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from chatproxy.errors import (
    BodyTooLarge,
    MalformedBody,
    TooMuchHeld,
    TruncatedBody,
    UnsupportedBody,
)
from chatproxy.formats import strictjson
from chatproxy.forwarding.headers import Fields, squeezed, value_of
from chatproxy.turns import Turns

#: JSON, and the types with its suffix (RFC 6839 section 3.1).
JSON_TYPE = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)

#: Fields that describe a body and are wrong once it is rewritten (RFC 9110 section 8; RFC 9530).
BODY_FIELDS = frozenset({"content-type", "content-md5", "digest", "content-digest", "repr-digest"})

#: Bytes read at once, on either side. With half of it a large body costs a third more CPU; with
#: twice as much, callers who read slowly would keep as much more in memory.
PIECE = 128 * 1024

#: Bytes of a body that go out with the head, in one write, if they have come with it.
SMALL = 16 * 1024

#: Bytes and pieces after which a fast transfer yields to the other requests of its worker. A
#: gevent greenlet runs until it waits, and a transfer whose data is always ready never waits.
TURN = 1024 * 1024
PIECES_A_TURN = 32


#: Seconds that a sender whose wait was ended gets for giving back what was held of its body, and
#: how many times a new one waits as long before it is refused.
A_MOMENT = 0.01
MOMENTS = 100


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

    def has(self, size: int) -> bool:
        """Say whether the next `size` bytes can be read without a wait."""
        ...

    def read1(self, most: int, watched: Watched | None) -> bytes:
        """Return up to `most` bytes as soon as there are any; nothing at the end."""
        ...


class BytesInput:
    """A body in memory: of a call of the sidecar's own, or one rewritten with credentials."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._read = 0

    def has(self, size: int) -> bool:
        """Say whether there are so many bytes."""
        return self._read + size <= len(self._content)

    def read1(self, most: int, watched: Watched | None) -> bytes:  # noqa: ARG002
        """Return the next bytes, nothing at the end."""
        piece = self._content[self._read : self._read + most]
        self._read += len(piece)
        return piece

    def rewind(self) -> None:
        """Start again from the first byte."""
        self._read = 0


class PiecesInput(BytesInput):
    """A body that is made piece by piece, anew for each attempt."""

    def __init__(self, make: Callable[[], Iterator[bytes]]) -> None:
        super().__init__(b"")
        self._make = make
        self._pieces = make()

    def read1(self, most: int, watched: Watched | None) -> bytes:
        """Return the next bytes, nothing at the end."""
        # An empty piece is no end.
        while self._read >= len(self._content):
            piece = next(self._pieces, None)

            if piece is None:
                return b""

            self._content, self._read = piece, 0

        return super().read1(most, watched)

    def rewind(self) -> None:
        """Start again from the first byte."""
        self._pieces, self._content, self._read = self._make(), b"", 0


class Held:
    """The bodies that a worker holds in memory, at most `most` bytes together.

    `end_slowest` ends the body that has kept the worker waiting longest: what slow senders hold is
    not theirs for ever.
    """

    def __init__(self, most: int, end_slowest: Callable[[], object]) -> None:
        self._most = most
        self._end_slowest = end_slowest
        self._bytes = 0

    def take(self, size: int) -> None:
        """Hold so many more, once there is room; raise `TooMuchHeld`."""
        for _ in range(MOMENTS):
            if self._bytes + size <= self._most:
                self._bytes += size
                return

            self._end_slowest()
            time.sleep(A_MOMENT)

        raise TooMuchHeld("Too many bodies are held in memory. Try again.")

    def give_back(self, size: int) -> None:
        """Hold so many less."""
        self._bytes -= size


class CallerBody:
    """A request body, read once. `length` is None if it is chunked."""

    def __init__(self, source: Input, length: int | None, held: Held | None = None) -> None:
        self.length = length
        self._together = held
        self._held = 0
        self.received = 0
        self.ended = length == 0
        self.limit: int | None = None
        self._source = source
        self._turns = Turns(TURN)

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
        self._turns.count(work(piece))

        # A chunked body declares no length, so only the count can tell that it is too large.
        if self.limit is not None and self.received > self.limit:
            raise BodyTooLarge(f"The body is larger than {self.limit} bytes.")

        # The rest would be taken for another request on the same connection.
        if self.length is not None and self.received > self.length:
            raise MalformedBody("The body is longer than its announced length.")

        # gunicorn ends a cut body of known length like a whole one: with an empty read.
        if not piece and self.length is not None:
            raise TruncatedBody("The body ended before its announced length.")

        self.ended = not piece or self.received == self.length
        return piece

    def read_small(self) -> bytes:
        """Return the whole body if it is small and has come already, else nothing."""
        length = self.length or 0

        if not 0 < length <= SMALL or self.received or not self._source.has(length):
            return b""

        content = b""

        while piece := self.read():
            content += piece

        return content

    def read_all(self, limit: int) -> bytes:
        """Return the whole body; raise `TooMuchHeld`, and as `limit_to` and `read` do."""
        self.limit_to(limit)
        content = bytearray()  # a list of pieces of one byte would take forty times as much

        try:
            while piece := self.read():
                self._hold(len(piece))
                content += piece
        except BaseException:
            self.release()
            raise

        return bytes(content)

    def release(self) -> None:
        """Give back what was held of the body. To be called once it is not needed any more."""
        if self._together is not None:
            held, self._held = self._held, 0
            self._together.give_back(held)

    def _hold(self, size: int) -> None:
        if self._together is not None:
            self._together.take(size)
            self._held += size


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


def with_json_fields(
    fields: Fields, body: CallerBody | None, ours: Mapping[str, str], most: int
) -> tuple[Fields, CallerBody]:
    """Put fields of ours into the JSON object in a body; return the new header and body.

    Reads the whole body, at most `most` bytes, and writes it anew. A request without a body
    gets one. Raises `UnsupportedBody`, `MalformedBody`, `BodyTooLarge`, `TruncatedBody`.
    """
    if value_of(fields, "content-encoding") is not None:
        raise UnsupportedBody("The body must not be coded: the credentials are put into it.")

    content = b"" if body is None else body.read_all(most)
    is_json = JSON_TYPE.fullmatch(value_of(fields, "content-type") or "") is not None

    if content and not is_json:
        raise UnsupportedBody("The body must be JSON: the credentials are put into it.")

    # Strictly, and written anew: with a name twice in the object, or spelt otherwise, the provider
    # might read the caller's value and not ours (RFC 8259 section 4).
    document = _read_object(content) if content else {}
    names = {squeezed(name) for name in ours}
    theirs = {name: value for name, value in document.items() if squeezed(name) not in names}
    content = json.dumps({**theirs, **ours}, separators=(",", ":")).encode()
    kept = [(name, value) for name, value in fields if name.lower() not in BODY_FIELDS]
    return [*kept, ("Content-Type", "application/json")], CallerBody.of_bytes(content)


def work(piece: bytes) -> int:
    """Return how much of a turn it takes to pass a piece on."""
    # Each piece has a fixed cost, so a stream of one-byte pieces has to yield as well.
    return max(len(piece), TURN // PIECES_A_TURN)


def _read_object(content: bytes) -> dict[str, object]:
    try:
        document = strictjson.read(content)
        time.sleep(0)  # it may have taken long, and writing it anew takes as long
    except strictjson.LimitError as error:
        raise MalformedBody(f"The body must be a JSON object: {error}") from error
    except ValueError as error:
        raise MalformedBody("The body must be a JSON object.", detail=str(error)) from error

    if not isinstance(document, dict):
        raise MalformedBody("The body must be a JSON object.")

    return document
