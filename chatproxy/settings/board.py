"""Memory that a process shares with those that it forks, on which it posts what they read."""

import hashlib
import mmap
import struct

#: Bytes of the largest post. Memory is used only as far as it is written.
LARGEST = 32 * 1024 * 1024

HEAD = struct.Struct("Q32s")
DIGEST = hashlib.sha256


class Board:
    """The last post, under a number that grows with each. One process posts, any number read."""

    # Each worker compares the number at each request, which is one look at memory: no system call,
    # no lock, and no moment at which one of two workers has seen a post that the other could not.

    def __init__(self) -> None:
        self._number = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")
        # In turns, so that the one that is read is not the one that is being written.
        self._slots = [mmap.mmap(-1, HEAD.size + LARGEST) for _ in range(2)]

    @property
    def number(self) -> int:
        """The number of the last post, 0 before the first."""
        return self._number[0]

    def post(self, content: bytes) -> None:
        """Post what is to be read from now on; raise `ValueError` if it is too large."""
        if len(content) > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes")

        number = self.number + 1
        slot = self._slots[number % 2]
        slot[HEAD.size : HEAD.size + len(content)] = content
        slot[: HEAD.size] = HEAD.pack(len(content), DIGEST(content).digest())
        self._number[0] = number

    def read(self) -> tuple[int, bytes]:
        """Return the number of the last post, and the post."""
        while True:
            number = self.number
            slot = self._slots[number % 2]
            length, digest = HEAD.unpack(slot[: HEAD.size])
            content = slot[HEAD.size : HEAD.size + min(length, LARGEST)]

            # Not so only where two posts were made meanwhile: then there is a later one.
            if DIGEST(content).digest() == digest:
                return number, content
