"""Memory in which each process of a server counts, and which all of them read.

The first process makes it, and those that are forked from it inherit it. So nothing is written to
a disk, no two servers share it, and what a process has counted outlives it, however it ended.
"""

import json
import logging
import mmap
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chatproxy.metrics.lately import Lately

log = logging.getLogger(__name__)

#: Bytes of a process. Memory is used only as far as it is written. It bounds what a scrape reads,
#: too: some 8,000 counters.
SIZE = 1024 * 1024

#: Of these for series that stand for all others, once the rest is full.
RESERVED = 64 * 1024

#: The number at each of the first places: is the process alive, and how many bytes are used?
ALIVE, USED = 0, 1

#: Bytes of a number, and of the head of the memory.
WORD = 8
HEAD = 2 * WORD

#: What a metric, its kind and the values of its labels are called together.
Key = tuple[str, ...]


class Entry(NamedTuple):
    """A series: the place of its first cell, and how many it has."""

    key: Key
    first: int
    cells: int


class Segment:
    """The series that one process counts. It alone writes, all read. Its successor goes on.

    An entry is the length of its key, the number of its cells, the key, and the cells.
    """

    def __init__(self) -> None:
        memory = memoryview(mmap.mmap(-1, SIZE))
        self._bytes = memory
        self._words = memory.cast("Q")
        #: Written and read as a whole: each is one aligned word.
        self.cells = memory.cast("d")
        self._entries: list[Entry] = []
        self._read = HEAD
        self.lately = Lately()

    @property
    def is_alive(self) -> bool:
        """Whether its process lives: what there is of something ends with whoever has it."""
        return bool(self._words[ALIVE])

    @is_alive.setter
    def is_alive(self, value: bool) -> None:
        self._words[ALIVE] = value

    def entries(self) -> list[Entry]:
        """Return all series, the oldest first."""
        used = self._words[USED]

        while self._read < used:
            place = self._read // WORD
            length, cells = self._words[place], self._words[place + 1]
            start = self._read + 2 * WORD

            try:
                key = tuple(json.loads(bytes(self._bytes[start : start + length])))
            except ValueError:  # not all of it is seen yet from this processor
                break

            first = (start + _padded(length)) // WORD
            self._entries.append(Entry(key, first, cells))
            self._read = (first + cells) * WORD

        return self._entries

    def add(self, key: Key, cells: int, *, reserved: bool = False) -> int | None:
        """Make a series; return the place of its first cell, None where there is no room.

        A `reserved` one may take the last part of it.
        """
        text = json.dumps(key).encode()
        used = self._words[USED] or HEAD
        start = used + 2 * WORD
        first = (start + _padded(len(text))) // WORD
        end = (first + cells) * WORD

        if end > SIZE - (0 if reserved else RESERVED):
            return None

        self._words[used // WORD] = len(text)
        self._words[used // WORD + 1] = cells
        self._bytes[start : start + len(text)] = text
        # A former owner may have died while it wrote a longer key here.
        self._bytes[first * WORD : end] = bytes(cells * WORD)
        # Last: whoever reads sees all of it or nothing.
        self._words[USED] = end
        return first


class Segments:
    """The memory of a server: of its first process, and of as many workers as it may have at once.

    A worker that is replaced leaves its segment to one that starts later, so there are never more.
    """

    def __init__(self, workers: int) -> None:
        self.first = Segment()
        self._all = [Segment() for _ in range(workers)]
        self._taken: set[int] = set()

    def take(self) -> Segment:
        """Return a segment that nobody has."""
        for number, segment in enumerate(self._all):
            if number not in self._taken:
                self._taken.add(number)
                return segment

        log.warning("more workers than expected: what this one counts is not seen by the others")
        return Segment()

    def keep(self, kept: Iterable[Segment]) -> None:
        """Take back all segments but these: the others' processes have ended."""
        owned = {id(segment) for segment in kept}

        for number in list(self._taken):
            if id(self._all[number]) not in owned:
                self._all[number].is_alive = False
                self._taken.remove(number)

    def __iter__(self) -> Iterator[Segment]:
        """Yield every segment."""
        yield self.first
        yield from self._all


_server: Segments | None = None


def of_this_server(workers: int = 0) -> Segments:
    """Return the memory of this server, made at the first call, for so many workers at once."""
    # A process that is no server, such as a command, has its own alone.
    global _server
    _server = _server or Segments(workers)
    return _server


def _padded(length: int) -> int:
    return -(-length // WORD) * WORD
