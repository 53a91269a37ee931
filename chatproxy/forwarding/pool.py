"""Idle connections to an upstream, kept for the next call."""

import collections
import contextlib
from collections.abc import Callable

from chatproxy.forwarding.connection import Connection

#: Seconds after which an idle connection is not used again: load balancers close
#: theirs at 60, and a request sent into a closing one is lost.
OLDEST_IDLE = 50.0


class Pool:
    """Idle connections, the most recently used first."""

    def __init__(self, size: int, monotonic: Callable[[], float]) -> None:
        self._idle: collections.deque[tuple[float, Connection]] = collections.deque(maxlen=size)
        self._monotonic = monotonic

    def take(self) -> Connection | None:
        """Return a connection that still seems open, or None."""
        while True:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                return None

            if self._monotonic() - since < OLDEST_IDLE and connection.is_silent():
                return connection

            connection.close()

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next call, where it can have one and there is room."""
        if not connection.make_ready() or not self._idle.maxlen:
            connection.close()
            return

        if len(self._idle) == self._idle.maxlen:
            with contextlib.suppress(IndexError):
                self._idle.popleft()[1].close()

        self._idle.append((self._monotonic(), connection))

    def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._idle.pop()[1].close()
