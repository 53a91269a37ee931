"""Since when a worker knows the sessions on which nobody has signed in.

A client that polls makes one request after the other, and the time to sign in is that of all of
them together. Each worker counts from its own first one, so the end comes a little later where
there are many.
"""

from collections.abc import Callable

#: Sessions that are remembered. Whoever makes up more of them only puts its own end off.
MOST = 10_000


class Sightings:
    """Those of one worker. A session is known as the directory knows it."""

    def __init__(self, monotonic: Callable[[], float], most: int = MOST) -> None:
        self._monotonic = monotonic
        self._most = most
        self._since: dict[str, float] = {}  # the one that was asked for last is the last

    def since(self, session: str) -> float:
        """Return when a session was seen first, which is now if it was not yet."""
        first = self._since.pop(session, None)
        self._since[session] = first = self._monotonic() if first is None else first

        if len(self._since) > self._most:
            del self._since[next(iter(self._since))]

        return first
