"""Counters in one process: an exact sliding window in bounded memory."""

import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable

from chatproxy.formats.rates import MICROSECONDS, Rate

#: Subjects that are kept. Above it the least recently used one is evicted.
MOST_SUBJECTS = 100_000

#: Subjects that each call checks for expiry. It adds at most one, so memory shrinks again.
CHECKED_PER_CALL = 2


class Memory:
    """The calls of each subject, as the times at which they leave the window."""

    # In whole microseconds of a monotonic clock. With floats, rounding up a wait of 900 seconds
    # can give 901.

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._expiries: OrderedDict[bytes, array[int]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many subjects are remembered."""
        return len(self._expiries)

    def hit(self, key: bytes, rate: Rate) -> tuple[bool, int, int]:
        """Count a call unless the rate is used up.

        Returns whether it was counted, how many more are allowed, and the microseconds until the
        oldest one leaves the window.
        """
        with self._lock:
            now = int(self._monotonic() * MICROSECONDS)
            self._drop_expired(now)
            expiries = self._touch(key)
            del expiries[: bisect_right(expiries, now)]
            allowed = len(expiries) < rate.count

            if allowed:
                expiries.append(now + rate.seconds * MICROSECONDS)

            return allowed, rate.count - len(expiries), expiries[0] - now

    def give_back(self, key: bytes) -> None:
        """Forget the newest call."""
        with self._lock:
            expiries = self._expiries.get(key)

            if expiries is not None:
                expiries.pop()

                if not expiries:
                    del self._expiries[key]

    def _touch(self, key: bytes) -> "array[int]":
        if key in self._expiries:
            self._expiries.move_to_end(key)
        else:
            self._expiries[key] = array("q")

        if len(self._expiries) > MOST_SUBJECTS:
            self._expiries.popitem(last=False)

        return self._expiries[key]

    def _drop_expired(self, now: int) -> None:
        # A few with each call, instead of all at once from time to time: no call takes long.
        for _ in range(CHECKED_PER_CALL):
            key = next(iter(self._expiries), None)

            if key is None or self._expiries[key][-1] > now:
                return

            del self._expiries[key]
