"""Compressed events, read as the official SDKs read them, and within limits.

Source: RFC 1952; the vendor's SDKs for JavaScript and Python, which were tried.
"""

import zlib
from collections.abc import Generator, Iterator

from chatproxy.turns import Turns

#: The first bytes of every gzip member (RFC 1952 section 2.3.1).
MAGIC = b"\x1f\x8b"

#: Bytes that a compressed event may inflate to. Stream's own events stay far below; the limit
#: keeps a small body from filling the memory.
LARGEST_EVENT = 10 * 1024 * 1024

#: Members that it may have. Each costs some microseconds, were it empty.
MOST_MEMBERS = 1000

#: Bytes that are inflated before other requests get their turn.
TURN = 4 * 1024 * 1024

#: Bytes of an event that are inflated and hashed at once. zlib copies what it has not read yet
#: with each piece that it gives, so it is fed little.
PIECE = 64 * 1024
COMPRESSED_PIECE = 4 * 1024


def inflated(body: bytes) -> Iterator[bytes]:
    """Yield the content of all members together; raise `zlib.error` if it is no gzip or too large.

    Behind the last one there may be zeros.
    """
    # Never whole: ten megabytes from a small body would keep the worker, and its memory.
    left = LARGEST_EVENT

    for content in _contents(body):
        left -= len(content)

        if left < 0:
            raise zlib.error("too large")

        yield content


def is_whole(body: bytes) -> bool:
    """Say whether a body is compressed and can be inflated within the limits."""
    turns = Turns(TURN)

    try:
        for piece in inflated(body):
            turns.count(len(piece))
    except zlib.error:
        return False

    return body.startswith(MAGIC)


def pieces(body: bytes) -> Iterator[bytes]:
    """Yield a body as it is, piece by piece."""
    return (body[start : start + PIECE] for start in range(0, len(body), PIECE))


def _contents(body: bytes) -> Iterator[bytes]:
    place = 0

    for _ in range(MOST_MEMBERS):
        place = yield from _member(body, place)

        if place == len(body):
            return

        # Only zeros. Behind them Python's reader looks for another member and Node's for nothing,
        # so that what follows would be part of the event for one of two services.
        if body[place] == 0:
            if body.count(0, place) != len(body) - place:
                raise zlib.error("there is more behind the zeros")

            return

    raise zlib.error("too many members")


def _member(body: bytes, place: int) -> Generator[bytes, None, int]:
    """Yield the content of the member at a place; return the place behind it."""
    member = zlib.decompressobj(wbits=31)

    while not member.eof:
        rest = body[place : place + COMPRESSED_PIECE]
        place += len(rest)

        if not rest:
            raise zlib.error("the member is cut")

        content = b"-"

        # A full piece may not have been all of it, even if no input is left. At the end what is
        # left may be in `unconsumed_tail` as well.
        while not member.eof and (rest or len(content) == PIECE):
            content = member.decompress(rest, PIECE)
            yield content
            rest = member.unconsumed_tail

    return place - len(member.unused_data)
