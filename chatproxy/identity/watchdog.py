"""Cuts connections to a database server that keeps them open and answers nothing.

The server's own time limits do not help when its process is stopped. `tcp_user_timeout`
does not either: the kernel at the other end, or a proxy in between, still acknowledges
every packet. Without this a caller would wait for ever.
"""

import contextlib
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

#: Seconds between two looks.
LOOK_EVERY = 0.5


class Watchdog:
    """Cuts a connection on which somebody waits for more than `limit` seconds."""

    def __init__(self, limit: float, monotonic: Callable[[], float]) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._numbers = itertools.count()
        self._waiting: dict[int, tuple[float, int]] = {}
        self._lock = threading.Lock()
        self._looks = False

    @contextlib.contextmanager
    def watching(self, descriptor: int) -> Iterator[None]:
        """Watch over a use of the connection behind a socket's descriptor."""
        number = next(self._numbers)
        self._waiting[number] = (self._monotonic() + self._limit, descriptor)
        self._begin()

        try:
            yield
        finally:
            self._waiting.pop(number, None)

    def _begin(self) -> None:
        """Start to look, with the first use: before it, this process may still fork."""
        with self._lock:
            if self._looks:
                return

            self._looks = True

        threading.Thread(target=self._look, name="watchdog", daemon=True).start()

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            now = self._monotonic()

            # A copy: other threads add and remove while this one looks. Whoever takes an entry
            # out decides, so that a connection which just came back is not cut.
            for number, (until, descriptor) in list(self._waiting.items()):
                if now >= until and self._waiting.pop(number, None) is not None:
                    _cut(descriptor)


def _cut(descriptor: int) -> None:
    """End both directions: whoever waits is told that the connection broke."""
    # Through a duplicate: closing the socket object must not close the driver's descriptor.
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
        connection.shutdown(socket.SHUT_RDWR)
