"""One answer of an upstream, read from the bytes as they come. It waits for nothing itself.

Nearly every answer has the same simple form, which a few strict expressions read: HTTP/1.1, final,
with visible text in its fields and a body of plainly announced size, or of plain chunks. All else
is h11's, with every byte that it needs: what is odd is read, or refused, by the library alone.
`tests/forwarding/test_answers.py` holds the two against each other.
"""

import re
from typing import NamedTuple

import h11

from chatproxy.errors import UpstreamBroken
from chatproxy.forwarding.headers import LARGEST_HEAD, MOST_FIELDS, Fields, defect_in

NOT_HTTP = "The chat provider's answer is not valid HTTP."

#: A status line and fields as nearly every server writes them, each to be read in one way only.
SIMPLE = re.compile(
    r"HTTP/1\.1 ([2-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*+)\r\n"
    r"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++: [\x21-\x7e\x80-\xff]"
    r"[\t\x20-\x7e\x80-\xff]*+(?<![\t ])\r\n)++)\r\n"
)
FIELD = re.compile(r"([^:]+): ([^\r]+)\r\n")
END = b"\r\n\r\n"

#: Fields that say how the message ends, and whether another one follows.
FRAMING = frozenset({"connection", "content-length", "transfer-encoding"})
LENGTH = re.compile(r"[0-9]{1,15}")
#: Answers whose body is not as it was announced (RFC 9112 section 6.3).
BODILESS = frozenset({"204", "304"})

#: The size of a chunk, first in the body and after another chunk, and what may become one.
FIRST_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
NEXT_CHUNK = re.compile(rb"\r\n([0-9A-Fa-f]{1,8})\r\n")
PART_OF_FIRST = re.compile(rb"[0-9A-Fa-f]{0,8}\r?|0{1,8}\r\n\r?")
PART_OF_NEXT = re.compile(rb"\r?|\r\n(?:[0-9A-Fa-f]{0,8}\r?|0{1,8}\r\n\r?)")

#: Chunks that become one piece. Turns are taken between pieces (`Connection.pieces`), and of chunks
#: of one byte a single read has ten thousand.
MOST_JOINED = 32

#: What brings h11 to where the next chunk is awaited: first in the body, and after another one.
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK_READ = b"1\r\nx"


class Head(NamedTuple):
    """The head of an answer, its fields with their case, order and repetition."""

    status: int
    reason: str
    fields: Fields


class AnswerReader:
    """Reads one answer, and the interim ones before it.

    `to_head` says that it answers a HEAD, `switching` that another protocol was asked for.
    """

    __slots__ = (
        "_at",
        "_buffer",
        "_chunk",
        "_closes",
        "_ended",
        "_h11",
        "_is_whole",
        "_left",
        "_switching",
        "_to_head",
        "received",
    )

    def __init__(self, *, to_head: bool = False, switching: bool = False) -> None:
        self._to_head = to_head
        self._switching = switching
        self._buffer, self._at = b"", 0
        self._ended = False
        self._h11: h11.Connection | None = None
        #: Bytes of the body, or of its current chunk, that are still to come.
        self._left = 0
        self._chunk: re.Pattern[bytes] | None = None
        self._closes = False
        self._is_whole = False
        #: Bytes that have come in all.
        self.received = 0

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection; none mean that it has ended."""
        self.received += len(data)

        if self._h11 is not None:
            # It then knows whether the message was whole.
            self._h11.receive_data(data)
        elif not data:
            self._ended = True
        elif self._at < len(self._buffer):
            self._buffer, self._at = self._buffer[self._at :] + data, 0
        else:
            self._buffer, self._at = data, 0

    def head(self) -> Head | None:
        """Return the next head, an interim one too; None if there have to be more bytes.

        Raises `UpstreamBroken`.
        """
        if self._h11 is None:
            if not self._buffer and not self._ended:
                return None

            if (head := self._simple_head()) is not None:
                return head

            self._h11 = self._library()
            self._hand_over()

        event = self._event()

        if not isinstance(event, h11.Response | h11.InformationalResponse):
            return None

        fields = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers.raw_items()]
        return Head(event.status_code, event.reason.decode("latin-1"), fields)

    def piece(self) -> bytes | None:
        """Return the next bytes of the body, nothing at its end, None if there have to be more.

        Raises `UpstreamBroken`.
        """
        if self._h11 is not None:
            return self._piece_of_library()

        if self._chunk is not None:
            return self._piece_of_chunks(self._chunk)

        if not self._left:
            self._is_whole = True
            return b""

        return self._take() or self._nothing_yet()

    @property
    def can_be_followed(self) -> bool:
        """Say whether the answer is whole, nothing came after it, and the connection stays."""
        # `Connection: close` and an answer that ends with the connection leave h11 in another
        # state. Bytes after the answer must not be taken for the next one (RFC 9112 section 6.3).
        if self._h11 is not None:
            done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
            return done and not self._h11.trailing_data[0] and not self._closes

        return self._is_whole and self._at == len(self._buffer) and not self._closes

    def surplus(self) -> bytes:
        """Return what has come behind a 101."""
        return b"" if self._h11 is None else bytes(self._h11.trailing_data[0])

    def _simple_head(self) -> Head | None:
        # It has nearly always come at once.
        end = self._buffer.find(END) + len(END)

        if not len(END) <= end <= LARGEST_HEAD or self._to_head:
            return None

        found = SIMPLE.fullmatch(self._buffer[:end].decode("latin-1"))

        if found is None or found[1] in BODILESS:
            return None

        fields: Fields = FIELD.findall(found[3])

        if len(fields) > MOST_FIELDS or not self._frame(fields):
            return None

        self._at = end
        return Head(int(found[1]), found[2], fields)

    def _frame(self, fields: Fields) -> bool:
        # Each at most once, and one of the two that announce a body.
        said: dict[str, str] = {}

        for name, value in fields:
            if (lower := name.lower()) in FRAMING:
                if lower in said:
                    return False

                said[lower] = value

        connection = said.get("connection", "keep-alive").lower()
        coding, length = said.get("transfer-encoding"), said.get("content-length")

        if connection not in ("keep-alive", "close") or (coding is None) == (length is None):
            return False

        if length is not None and LENGTH.fullmatch(length):
            self._left = int(length)
        elif coding == "chunked":
            self._chunk = FIRST_CHUNK
        else:
            return False

        self._closes = connection == "close"
        return True

    def _take(self) -> bytes:
        # Copied only where something follows.
        start, self._at = self._at, min(self._at + self._left, len(self._buffer))
        self._left -= self._at - start
        return self._buffer[start : self._at]

    def _nothing_yet(self) -> bytes | None:
        if not self._ended:
            return None

        detail = f"it closed the connection with {self._left} bytes still to come"
        raise UpstreamBroken(NOT_HTTP, detail=detail, answer_begun=True)

    def _piece_of_chunks(self, pattern: re.Pattern[bytes]) -> bytes | None:
        """Return the chunks that have come, joined."""
        pieces: list[bytes] = []

        while not self._is_whole and len(pieces) < MOST_JOINED:
            if self._left:
                if not (piece := self._take()):
                    break

                pieces.append(piece)
            elif (found := pattern.match(self._buffer, self._at)) is None:
                break
            elif size := int(found[1], 16):
                self._at, self._left = found.end(), size
                self._chunk = pattern = NEXT_CHUNK
            elif self._buffer.startswith(b"\r\n", found.end()):
                self._at, self._is_whole = found.end() + 2, True
            else:
                break

        if pieces or self._is_whole:
            return b"".join(pieces)

        return self._nothing_yet() if self._left else self._between_chunks(pattern)

    def _between_chunks(self, pattern: re.Pattern[bytes]) -> bytes | None:
        part = PART_OF_FIRST if pattern is FIRST_CHUNK else PART_OF_NEXT

        if not self._ended and part.fullmatch(self._buffer, self._at):
            return None

        # An extension, a trailer, or no chunk at all.
        self._h11 = self._library()
        self._h11.receive_data(CHUNKS)
        self._event()

        if pattern is NEXT_CHUNK:
            self._h11.receive_data(CHUNK_READ)
            self._event()

        self._hand_over()
        return self._piece_of_library()

    def _library(self) -> h11.Connection:
        # Of our request it needs only what changes the meaning of an answer.
        made = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        asked = [("Connection", "Upgrade"), ("Upgrade", "any")] if self._switching else []
        method = "HEAD" if self._to_head else "GET"
        made.send(h11.Request(method=method, target="/", headers=[("Host", "a"), *asked]))
        made.send(h11.EndOfMessage())
        return made

    def _hand_over(self) -> None:
        assert self._h11 is not None  # noqa: S101 - it has just been made
        rest, self._buffer, self._at = self._buffer[self._at :], b"", 0

        if rest:
            self._h11.receive_data(rest)

        if self._ended:
            self._h11.receive_data(b"")

    def _piece_of_library(self) -> bytes | None:
        event = self._event()

        if isinstance(event, h11.Data):
            return bytes(event.data)

        return b"" if isinstance(event, h11.EndOfMessage) else None

    def _event(self) -> h11.Event | type[h11.PAUSED] | type[h11.NEED_DATA]:
        assert self._h11 is not None  # noqa: S101 - it is asked only where it reads
        try:
            event = self._h11.next_event()
        except h11.RemoteProtocolError as error:
            raise UpstreamBroken(
                NOT_HTTP, detail=str(error), answer_begun=self.received > 0
            ) from error

        if isinstance(event, h11.ConnectionClosed):
            raise UpstreamBroken(
                "The connection to the chat provider broke.", answer_begun=self.received > 0
            )

        if isinstance(event, h11.Response) and (defect := defect_in(event)):
            raise UpstreamBroken(NOT_HTTP, detail=defect, answer_begun=True)

        return event
