"""Quotas as the vendor counts and tells them: per endpoint, in windows of one minute.

They are told and not enforced: no walk of an SDK comes near them.
"""

import threading
import time
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
    """Counts the calls of each endpoint."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}
        self._reset = 0
        self._lock = threading.Lock()

    def count(self, endpoint: str, calls: int = 1) -> Quota:
        """Count a call, or none, and return what is left."""
        with self._lock:
            now = int(time.time())
            if now >= self._reset:
                self._reset = now - now % WINDOW + WINDOW
                self._used.clear()

            self._used[endpoint] = self._used.get(endpoint, 0) + calls
            return Quota(LIMIT, LIMIT - self._used[endpoint], self._reset)
