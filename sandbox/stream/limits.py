"""The quota that is told with every answer, of an account that is never near its end."""

import time
from typing import NamedTuple

from ..wire import Headers

LIMIT = 1_000_000
WINDOW = 60


class Quota(NamedTuple):
    """What is left of a minute's calls; `reset` is the end of the minute, in epoch seconds."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> Headers:
        """Return the three headers, in lower case as one of the official SDKs needs them."""
        return tuple(
            (b"x-ratelimit-%s" % name.encode(), b"%d" % value)
            for name, value in self._asdict().items()
        )


def quota(remaining: int = LIMIT - 1) -> Quota:
    """Return the quota of the minute that it is."""
    now = int(time.time())
    return Quota(LIMIT, remaining, now - now % WINDOW + WINDOW)
