"""Counting. A metric is declared once, in `table`, and is told there and then what happened.

    TOKENS_MINTED.add("stream")

The values of its labels are given in their order. A value must never come from a caller: a series
is kept for each that there ever was.
"""

import bisect
import itertools
import threading
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from chatproxy.metrics.segments import Key, Segment, of_this_server

Kind = Literal["counter", "gauge", "histogram"]

#: The value of each label of a series that stands for all those for which there is no more room.
OTHER = "other"


class Store:
    """Where this process counts: the place of each series in its segment."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.cells = segment.cells
        self.places: dict[Key, int] = {}
        #: What `requests` has looked up: many series at once.
        self.looked_up: dict[Any, Any] = {}
        self._lock = threading.Lock()

        for entry in segment.entries():
            self.places[entry.key] = entry.first

            # What there is now is not what the former owner had.
            if entry.key[0] == Gauge.kind:
                for cell in range(entry.cells):
                    self.cells[entry.first + cell] = 0.0

        segment.is_alive = True

    def place(self, key: Key, cells: int) -> int:
        """Return where the first cell of a series is; it is made if there is none."""
        with self._lock:
            found = self.places.get(key)

            if found is None:
                found = self.segment.add(key, cells)
                found = self._of_others(key, cells) if found is None else found
                self.places[key] = found

        return found

    def _of_others(self, key: Key, cells: int) -> int:
        kind, name, *labels = key
        others = (kind, name, *(OTHER for _ in labels))
        found = self.places.get(others)

        if found is None:
            found = self.segment.add(others, cells, reserved=True)
            assert found is not None  # noqa: S101 - the table bounds how many there are
            self.places[others] = found

        return found


_store: Store | None = None


def count_in(segment: Segment) -> None:
    """Count in this segment from now on, as a process that has just been forked has to."""
    global _store
    _store = Store(segment)


def store() -> Store:
    """Return where this process counts."""
    global _store

    if _store is None:
        _store = Store(of_this_server().first)

    return _store


class Metric:
    """A name, the names of its labels, and what it means."""

    kind: ClassVar[Kind]
    cells = 1

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self.name = name
        self.meaning = meaning
        self.labels = labels

    def place(self, *labels: str) -> int:
        """Return the place of a series among the cells of this process."""
        assert len(labels) == len(self.labels), self.name  # noqa: S101 - a mistake of ours
        found = store()
        key = (self.kind, self.name, *labels)
        place = found.places.get(key)
        return found.place(key, self.cells) if place is None else place


class Counter(Metric):
    """What only grows."""

    kind = "counter"

    def add(self, *labels: str, by: float = 1.0) -> None:
        """Count. With 0 the series is there before anything happens."""
        place = self.place(*labels)
        store().cells[place] += by


class Gauge(Metric):
    """What there is now, in all living processes together."""

    kind = "gauge"

    def add(self, *labels: str, by: float = 1.0) -> None:
        """Say that there is so much more."""
        place = self.place(*labels)
        store().cells[place] += by

    def set(self, value: float, *labels: str) -> None:
        """Say how much there is."""
        place = self.place(*labels)
        store().cells[place] = value


class Histogram(Metric):
    """How often a value was at most so much; its cells are those counts, the rest, and the sum."""

    kind = "histogram"

    def __init__(self, name: str, meaning: str, *labels: str, bounds: Sequence[float]) -> None:
        super().__init__(name, meaning, *labels)
        self.bounds = tuple(bounds)
        self.cells = len(self.bounds) + 2

    def observe(self, value: float, *labels: str) -> None:
        """Count a value."""
        self.observe_at(self.place(*labels), value)

    def observe_at(self, place: int, value: float) -> None:
        """Count a value in the series that has its first cell there."""
        cells = store().cells
        cells[place + bisect.bisect_left(self.bounds, value)] += 1.0
        cells[place + self.cells - 1] += value

    def cumulated(self, cells: Sequence[float]) -> list[tuple[float, float]]:
        """Return how many values were at most each bound, and at last all."""
        bounds = (*self.bounds, float("inf"))
        return list(zip(bounds, itertools.accumulate(cells[:-1]), strict=True))
