"""The packets of Engine.IO in the body of a polling request.

Source: https://socket.io/docs/v4/engine-io-protocol/ for revision 4, where a separator stands
between packets, and its history for revision 3, where each has its length before it.
"""

import itertools
import re
from collections.abc import Iterator, Sequence

SEPARATOR = "\x1e"
BINARY = "application/octet-stream"

#: A packet's length before it, in UTF-16 code units, as JavaScript counts.
LENGTH = re.compile(r"([0-9]{1,9}):")

#: Bytes of it in UTF-16, with some more.
LONGEST_LENGTH = 24

MOST_PACKETS = 10_000

#: What no number has, as JavaScript reads one, and every packet has before a colon in it.
NO_NUMBER = re.compile(r'[\[{"/,\x1e]')

#: In a binary body: whether the packet is text, its length as digits of a byte each, the end.
BINARY_LENGTH = re.compile(rb"([\x00\x01])([\x00-\x09]{1,9})\xff")

#: One packet of the engine's own: the session is over.
CLOSE = "1"
#: Socket.IO's packet after which a client does not come again by itself.
DISCONNECT = "41"


class BadPayload(ValueError):
    """No client of Engine.IO sends this body."""


class Payload:
    """One body. Texts may be replaced, and packets left out.

    A server goes by the revision with which a session began, whatever a later request names. So a
    body that has other packets in the other revision is refused.
    """

    def __init__(self, content: bytes, revision: str, content_type: str) -> None:
        """Read a body; raise `BadPayload`."""
        self._is_binary = content_type.partition(";")[0].strip().lower() == BINARY
        # As a server of both reads it: anything else is the third.
        self._by_length = revision != "4"

        if self._is_binary and not self._by_length:
            raise BadPayload("only the third revision has binary bodies")

        try:
            self.packets: Sequence[str | bytes] = list(
                itertools.islice(self._read(content), MOST_PACKETS + 1)
            )
        except UnicodeError as error:
            raise BadPayload("no UTF-8") from error

        if len(self.packets) > MOST_PACKETS:
            raise BadPayload("more packets than any client sends at once")

    def written(self, packets: Sequence[str | bytes]) -> bytes:
        """Return a body with other packets in the same form."""
        if not self._by_length:
            return SEPARATOR.join(map(str, packets)).encode()

        return b"".join(map(self._framed, packets))

    def _read(self, content: bytes) -> Iterator[str | bytes]:
        if self._is_binary:
            yield from _binary(content)
        elif self._by_length:
            yield from _by_length(content.decode())
        else:
            yield from _separated(content.decode())

    def _framed(self, packet: str | bytes) -> bytes:
        content = packet.encode() if isinstance(packet, str) else packet

        if self._is_binary:
            digits = bytes(int(digit) for digit in str(len(content)))
            return (b"\0" if isinstance(packet, str) else b"\1") + digits + b"\xff" + content

        return f"{_units(str(packet))}:".encode() + content


def goodbye(revision: str) -> bytes:
    """Return the body of an answer that ends a session."""
    made = Payload(b"", revision, "")
    return made.written([DISCONNECT, CLOSE])


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _separated(text: str) -> Iterator[str]:
    before, colon, _ = text.partition(":")

    if colon and not NO_NUMBER.search(before):
        raise BadPayload("a length of the third revision")

    yield from text.split(SEPARATOR)


def _by_length(text: str) -> Iterator[str]:
    # Behind it a server of the fourth would read another packet. In JSON it is an escape.
    if SEPARATOR in text:
        raise BadPayload("a separator of the fourth revision")

    units, place = text.encode("utf-16-le"), 0

    while place < len(units):
        found = LENGTH.match(units[place : place + LONGEST_LENGTH].decode("utf-16-le", "ignore"))

        if found is None:
            raise BadPayload("no length of a packet")

        start = place + 2 * found.end()
        place = start + 2 * int(found[1])

        if place > len(units):
            raise BadPayload("a packet is shorter than it says")

        yield units[start:place].decode("utf-16-le")


def _binary(content: bytes) -> Iterator[str | bytes]:
    place = 0

    while place < len(content):
        found = BINARY_LENGTH.match(content, place)

        if found is None:
            raise BadPayload("no length of a packet")

        length = int("".join(map(str, found[2])))
        packet = content[found.end() : found.end() + length]

        if len(packet) != length:
            raise BadPayload("a packet is shorter than it says")

        yield packet.decode() if found[1] == b"\0" else packet
        place = found.end() + length
