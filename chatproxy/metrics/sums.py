"""The sums over all processes of the server."""

from collections.abc import Iterable

from chatproxy.metrics import table
from chatproxy.metrics.segments import Key, Segment
from chatproxy.metrics.series import Gauge
from chatproxy.turns import Turns

#: Series that are read, and lines that are written, before other requests get their turn: some
#: milliseconds.
TURN = 200


def sums(segments: Iterable[Segment]) -> dict[str, dict[Key, list[float]]]:
    """Add up what the processes have counted; of what there is now the living ones' only."""
    known = {one.name: one for one in table.TABLE}
    found: dict[str, dict[Key, list[float]]] = {name: {} for name in known}
    turns = Turns(TURN)

    for segment in segments:
        cells, is_alive = segment.cells, segment.is_alive

        for (kind, name, *labels), first, count in segment.entries():
            turns.count()

            if (kind == Gauge.kind and not is_alive) or name not in known:
                continue

            counted = cells[first : first + count].tolist()
            sum_so_far = found[name].setdefault(tuple(labels), [0.0] * count)
            sum_so_far[:] = [a + b for a, b in zip(sum_so_far, counted, strict=True)]

    for name, one in known.items():
        if not one.labels:  # there before it is counted, as a rate needs it to be
            found[name].setdefault((), [0.0] * one.cells)

    return found
