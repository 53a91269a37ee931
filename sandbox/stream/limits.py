"""The quota that is told with every answer, of an account that is never near its end."""

import time

from ..wire import Headers

LIMIT = 1_000_000


def quota(remaining: int = LIMIT - 1) -> dict[str, int]:
    """Return what is left of this minute's calls; `reset` is its end, in epoch seconds."""
    now = int(time.time())
    return {"limit": LIMIT, "remaining": remaining, "reset": now - now % 60 + 60}


def headers(told: dict[str, int]) -> Headers:
    """Return a quota's headers, in lower case as one of the official SDKs needs them."""
    return tuple((b"x-ratelimit-%s" % name.encode(), b"%d" % told[name]) for name in told)
