"""Quotas as the vendor tells them, per endpoint and minute.

They are neither enforced nor given back: nobody comes near the end of one.
"""

import time
from collections import Counter
from typing import NamedTuple

from ..wire import Headers

LIMIT = 1_000_000
WINDOW = 60


class Quota(NamedTuple):
    """What is left of one endpoint's window; `reset` in epoch seconds."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> Headers:
        """Return the three headers, in lower case as one of the official SDKs needs them."""
        return tuple(
            (b"x-ratelimit-%s" % name.encode(), b"%d" % value)
            for name, value in self._asdict().items()
        )


class RateLimits:
    """Counts the calls of each endpoint, since the stand-in was started."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def count(self, endpoint: str, calls: int = 1) -> Quota:
        """Count a call, or none, and return what is left."""
        self._used[endpoint] += calls
        now = int(time.time())
        return Quota(LIMIT, LIMIT - self._used[endpoint], now - now % WINDOW + WINDOW)
