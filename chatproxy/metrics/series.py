"""Counting. A metric is declared once, in `table`, and is told there and then what happened.

    TOKENS_MINTED.add("stream")

The values of its labels are given in their order. A value must never come from a caller: a series
is kept for each that there ever was.
"""

import bisect
import collections
import itertools
import threading
from collections.abc import Iterator, Sequence
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
        #: By the name of the metric, and the values of its labels.
        self.places: dict[str, dict[Key, int]] = collections.defaultdict(dict)
        #: What `requests` has looked up: many series at once.
        self.looked_up: dict[Any, Any] = {}
        self._lock = threading.Lock()

        for (kind, name, *labels), first, _ in segment.entries():
            self.places[name][tuple(labels)] = first

            # What there is now is not what the former owner had.
            if kind == Gauge.kind:
                self.cells[first] = 0.0

        segment.is_alive = True

    def make(self, kind: Kind, name: str, labels: Key, cells: int) -> int:
        """Make a series if there is none yet; return where its first cell is."""
        with self._lock:
            places = self.places[name]
            found = places.get(labels)

            if found is None:
                found = self.segment.add((kind, name, *labels), cells)
                places[labels] = self._others(kind, name, labels, cells) if found is None else found

        return places[labels]

    def _others(self, kind: Kind, name: str, labels: Key, cells: int) -> int:
        others = tuple(OTHER for _ in labels)
        found = self.places[name].get(others)

        if found is None:
            found = self.segment.add((kind, name, *others), cells, reserved=True)
            assert found is not None  # noqa: S101 - the table bounds how many there are
            self.places[name][others] = found

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


def every_segment() -> Iterator[Segment]:
    """Yield the memory of each process of this server, and of this one."""
    own = store().segment
    found = list(of_this_server())
    yield from found

    if not any(segment is own for segment in found):
        yield own


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
        current = _store or store()
        found = current.places[self.name].get(labels)

        if found is None:
            assert len(labels) == len(self.labels), self.name  # noqa: S101 - a mistake of ours
            found = current.make(self.kind, self.name, labels, self.cells)

        return found


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
        place = self.place(*labels)
        self.observe_at(store().cells, place, value)

    def observe_at(self, cells: "memoryview[float]", place: int, value: float) -> None:
        """Count a value in the series that has its first cell there."""
        cells[place + bisect.bisect_left(self.bounds, value)] += 1.0
        cells[place + self.cells - 1] += value

    def cumulated(self, cells: Sequence[float]) -> list[tuple[float, float]]:
        """Return how many values were at most each bound, and at last all."""
        bounds = (*self.bounds, float("inf"))
        return list(zip(bounds, itertools.accumulate(cells[:-1]), strict=True))
