"""Bodies of any size whose digest is known without sending them.

A block of 1 MiB derived from the seed is repeated; the first eight bytes of each repetition are
its number, so a lost, doubled or swapped block changes the digest.
"""

import hashlib
from collections.abc import Iterator

BLOCK = 1 << 20


def blocks(size: int, seed: int, piece: int = BLOCK) -> Iterator[bytes]:
    """`size` deterministic bytes in pieces of `piece` bytes or less."""
    block = bytearray(hashlib.shake_256(b"sandbox %d" % seed).digest(max(8, min(size, BLOCK))))
    for number in range((size + BLOCK - 1) // BLOCK):
        block[:8] = number.to_bytes(8, "big")
        length = min(BLOCK, size - number * BLOCK)
        yield from (bytes(block[at : min(at + piece, length)]) for at in range(0, length, piece))


def bytes_sha256(size: int, seed: int = 0) -> str:
    """Return the digest (hex) of what `blocks` gives."""
    digest = hashlib.sha256()
    for piece in blocks(size, seed):
        digest.update(piece)

    return digest.hexdigest()
