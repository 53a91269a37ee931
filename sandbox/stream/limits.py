"""Rate limits as the vendor counts them: per endpoint, in windows of one minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from ..wire import Headers

WINDOW = 60


@dataclass(frozen=True)
class Quota:
    """What is left of one endpoint's window; `reset` in epoch seconds."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> Headers:
        """Return the three headers, in lower case as one of the official SDKs needs them."""
        return (
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % self.reset),
        )


class RateLimits:
    """Counts calls per endpoint; each may be called `limit` times a minute."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used: dict[str, int] = {}
        self._reset = 0
        self._lock = threading.Lock()

    def spend(self, endpoint: str) -> tuple[Quota, bool]:
        """Count one call; the second value is False where it is one too many."""
        with self._lock:
            self._roll()
            used = self._used.get(endpoint, 0) + 1
            self._used[endpoint] = used
            return self._quota(used), used <= self._limit

    def look(self, endpoints: Iterable[str]) -> dict[str, Quota]:
        """Return the quotas as they stand, without counting."""
        with self._lock:
            self._roll()
            return {name: self._quota(self._used.get(name, 0)) for name in endpoints}

    def _roll(self) -> None:
        now = int(time.time())
        if now >= self._reset:
            self._reset = now - now % WINDOW + WINDOW
            self._used.clear()

    def _quota(self, used: int) -> Quota:
        return Quota(self._limit, max(0, self._limit - used), self._reset)
