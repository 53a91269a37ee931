"""The counters of one process: an exact moving window in bounded memory."""

import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable

from chatproxy.formats.rates import MICROSECONDS, Rate

#: Subjects that are remembered. Above it, the one not asked about for longest is forgotten.
MOST_SUBJECTS = 100_000

#: Subjects that a call looks at to drop those without a call left: more than it can add.
LOOKED_AT = 2


class Memory:
    """The calls of each subject, as the moments at which they leave the window.

    Moments are microseconds of the clock given, which must never go back; whole numbers,
    as floats would make 901 seconds of 900.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._leaving: OrderedDict[bytes, array[int]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many subjects are remembered."""
        return len(self._leaving)

    def hit(self, key: bytes, rate: Rate) -> tuple[bool, int, int]:
        """Count a call unless the rate is used up.

        Returns whether it was counted, how many more may come, and the microseconds
        until the oldest one leaves the window.
        """
        with self._lock:
            now = int(self._monotonic() * MICROSECONDS)
            self._drop_empty(now)
            leaving = self._of(key)
            del leaving[: bisect_right(leaving, now)]
            allowed = len(leaving) < rate.count

            if allowed:
                leaving.append(now + rate.seconds * MICROSECONDS)

            return allowed, rate.count - len(leaving), leaving[0] - now

    def give_back(self, key: bytes) -> None:
        """Forget the newest call."""
        with self._lock:
            leaving = self._leaving.get(key)

            if leaving is not None:
                leaving.pop()

                if not leaving:
                    del self._leaving[key]

    def _of(self, key: bytes) -> "array[int]":
        """Return the key's calls, and make it the one that is forgotten last."""
        if key in self._leaving:
            self._leaving.move_to_end(key)
        else:
            self._leaving[key] = array("q")

        if len(self._leaving) > MOST_SUBJECTS:
            self._leaving.popitem(last=False)

        return self._leaving[key]

    def _drop_empty(self, now: int) -> None:
        for _ in range(LOOKED_AT):
            key = next(iter(self._leaving), None)

            if key is None or self._leaving[key][-1] > now:
                return

            del self._leaving[key]
