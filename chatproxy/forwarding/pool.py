"""Idle connections to an upstream, kept for reuse."""

import collections
import contextlib
from collections.abc import Callable

from chatproxy.forwarding.connection import Connection
from chatproxy.metrics.upstreams import UpstreamCounts

#: Seconds after which an idle connection is not used again. Load balancers commonly close theirs
#: at 60; a request that crosses with the close is lost (RFC 9112 section 9.5).
OLDEST_IDLE = 50.0


class Pool:
    """Idle connections, the most recently used first."""

    # Last in, first out: after a burst the rest grows old and is closed. In turns, each would be
    # used just often enough to stay.

    def __init__(
        self,
        size: int,
        max_age: float,
        monotonic: Callable[[], float],
        counts: UpstreamCounts | None = None,
    ) -> None:
        self._idle: collections.deque[Connection] = collections.deque(maxlen=size)
        self._max_age = max_age
        self._monotonic = monotonic
        self._counts = counts or UpstreamCounts()

    def take(self) -> Connection | None:
        """Return a connection that still seems open, or None."""
        while True:
            try:
                # No check for emptiness before: another greenlet could come in between.
                connection = self._idle.pop()
            except IndexError:
                return None

            self._counts.idle(len(self._idle))

            if self._is_young(connection) and connection.is_silent():
                self._counts.reused()
                return connection

            connection.close()

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next call if it can take one, else close it."""
        connection.idle_since = self._monotonic()

        if not self._idle.maxlen or not self._is_young(connection) or not connection.make_ready():
            connection.close()
            return

        self._close_since(connection.idle_since - OLDEST_IDLE)

        if len(self._idle) == self._idle.maxlen:
            with contextlib.suppress(IndexError):  # taken meanwhile
                self._idle.popleft().close()

        self._idle.append(connection)
        self._counts.idle(len(self._idle))

    def close_since(self, moment: float) -> None:
        """Close those that have been idle since a moment, or for longer."""
        self._close_since(moment)
        self._counts.idle(len(self._idle))

    def _close_since(self, moment: float) -> None:
        while self._idle and self._idle[0].idle_since <= moment:
            self._idle.popleft().close()

    def _is_young(self, connection: Connection) -> bool:
        # Without an age, one that is always busy would stay with an address that the provider's
        # name has left.
        now = self._monotonic()
        longest_idle = min(connection.longest_idle, OLDEST_IDLE)
        return now - connection.idle_since < longest_idle and (
            now - connection.opened_at < self._max_age
        )

    def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._idle.pop().close()

        self._counts.idle(0)
