"""Who keeps the server waiting: where connections run short, the longest wait is ended.

A worker holds a bounded number of connections, and whoever reaches its port may open them all
and say nothing, or say it slowly. Probes and the service's own calls need room nevertheless.
"""

import contextlib
import enum
import fcntl
import itertools
import socket
import sys
import termios
from collections.abc import Callable, Iterable

from chatproxy.clock import Clock
from chatproxy.metrics.table import ENDED_WAITS

#: Waits that are looked at. One whose bytes have just come is passed over.
LOOKED_AT = 8

#: Seconds until a wait is looked at again that was over when its bytes had just come.
AGAIN = 0.05


class What(enum.Enum):
    """What a caller is waited for."""

    HEAD = enum.auto()  # the next request, or the rest of it
    BODY = enum.auto()
    READING = enum.auto()  # to take its answer


class Wait:
    """One wait for a caller. `ended` says that it was ended for the sake of others.

    `holds` says that a part of its body is held in memory meanwhile.
    """

    # Its own context manager, and with slots: each request begins several.
    __slots__ = ("_waits", "ended", "holds", "since", "sock", "what")

    def __init__(self, waits: "Waits", sock: socket.socket, what: What, *, holds: bool) -> None:
        self._waits = waits
        self.sock = sock
        self.what = what
        self.holds = holds
        self.ended = False
        self.since = 0.0

    def __enter__(self) -> "Wait":
        self.since = self._waits.monotonic()
        self._waits.begin(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._waits.forget(self)

    def end(self) -> bool:
        """End the wait as if the caller had said its last word; say whether that was possible."""
        # A closed socket or one that has broken ends the wait by itself.
        with contextlib.suppress(OSError, ValueError):
            if self.what is What.READING:
                self.ended = True
                _shut(self.sock, socket.SHUT_RDWR)
            elif not _has_bytes(self.sock):
                self.ended = True
                _shut(self.sock, socket.SHUT_RD)

        return self.ended


class Waits:
    """The waits of a worker, the longest first. `leaving` are the connections whose wait was ended.

    Whenever one more begins while `is_short`, the longest is ended: a new connection begins with a
    wait for its head, and a busy one gets free again by one. The `spared` newest are left alone:
    where all others are busy, a new caller still has the time to say what it wants. `most` are the
    connections that the worker holds.
    """

    def __init__(self) -> None:
        self._waits: dict[Wait, None] = {}
        self.monotonic = Clock().monotonic
        self.leaving: set[socket.socket] = set()
        self.is_short: Callable[[], bool] = lambda: False
        self.spared = 1
        self.most = sys.maxsize

    def waiting(self, sock: socket.socket, what: What, *, holds: bool = False) -> Wait:
        """Return a wait, which is kept while its context lasts."""
        return Wait(self, sock, what, holds=holds)

    def begin(self, wait: Wait) -> None:
        """Keep a wait."""
        self._waits[wait] = None

        if self.is_short():
            looked_at = max(0, min(LOOKED_AT, len(self._waits) - self.spared))
            self._end_first(list(itertools.islice(self._waits, looked_at)))

    def forget(self, wait: Wait) -> None:
        """Forget a wait."""
        self._waits.pop(wait, None)

    def end_heads(self, limit: float) -> float:
        """End the waits for a request that have lasted so many seconds; say when to look again."""
        now, pause = self.monotonic(), limit

        for wait in [wait for wait in self._waits if wait.what is What.HEAD and not wait.ended]:
            if (left := wait.since + limit - now) > 0:
                return min(left, pause)

            if not wait.end():
                pause = AGAIN

        return pause

    def end_holding(self) -> None:
        """End the longest wait for a body of which a part is held, if there is one."""
        self._end_first([wait for wait in self._waits if wait.holds])

    def _end_first(self, waits: Iterable[Wait]) -> None:
        for wait in waits:
            if wait.end():
                del self._waits[wait]
                self.leaving.add(wait.sock)
                ENDED_WAITS.add()
                return


def _has_bytes(sock: socket.socket) -> bool:
    # The wait reads an end, but a request that comes before it does so. Breaking the wait off
    # would lose one that has come and was not yet read.
    return any(fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4)))  # tcp(7): SIOCINQ


def _shut(sock: socket.socket, how: int) -> None:
    # gevent's own would throw an error into the greenlet that waits. The system wakes it, and it
    # reads what has come meanwhile, and then an end.
    getattr(sock, "_sock", sock).shutdown(how)


#: Those of this process: whoever reads a body or writes an answer does not know the worker.
WAITS = Waits()
