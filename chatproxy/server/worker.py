"""gunicorn's gevent worker, changed in three ways, and its logger without an access log.

- It closes idle connections when it stops. Else a shutdown waits until the graceful timeout for
  every client that keeps a connection open, and all SDKs do.
- It yields between two requests of a connection. Else one that sends its next request before the
  last is answered would be the only one served.
- It tells the arbiter how far it is, and after `max_requests` that it wants to end. gunicorn's own
  would end at once, and only then would another one be started.
"""

import contextlib
import enum
import fcntl
import mmap
import socket
import sys
import termios
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import gevent
from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.workers.ggevent import GeventWorker

#: Seconds for which a kept connection must have been silent before a worker that stops closes it.
#: A client that asks more often than that gets its `Connection: close` in an answer.
LAST_REQUEST = 1.0


class Stage(enum.IntEnum):
    """How far a worker is."""

    STARTING = 0
    SERVING = 1
    WANTS_TO_END = 2
    STOPPING = 3


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no annotations
    """One process, one event loop, a greenlet for each connection."""

    max_requests: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # In the arbiter, before the fork: of the two copies only this byte is shared.
        super().__init__(*args, **kwargs)
        self._shared = mmap.mmap(-1, 1)
        self._enough, self.max_requests = self.max_requests, sys.maxsize
        self._clients: dict[Any, socket.socket] = {}
        self._waits: dict[object, socket.socket] = {}

    def serves(self) -> bool:
        """Say whether it takes requests and is not told to stop."""
        return Stage.STARTING < self._shared[0] < Stage.STOPPING

    def wants_to_end(self) -> bool:
        """Say whether it has answered enough, and serves until another one does."""
        return self._shared[0] == Stage.WANTS_TO_END

    def stops(self) -> bool:
        """Say whether it has been told to stop."""
        return self._shared[0] == Stage.STOPPING

    def notify(self) -> None:
        """Give a sign of life. gunicorn calls this every second, first when it listens."""
        super().notify()
        self._shared[0] = self._stage()

    def _stage(self) -> Stage:
        if not self.alive:
            return Stage.STOPPING

        return Stage.SERVING if self.nr < self._enough else Stage.WANTS_TO_END

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection."""
        connection = gevent.getcurrent()
        self._clients[connection] = client

        try:
            super().handle(listener, client, addr)
        finally:
            del self._clients[connection]

    @contextlib.contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """Bound the wait for a connection's next request, and make it interruptible."""
        # gunicorn waits in here for each head of a keep-alive connection.
        gevent.sleep(0)
        wait = object()
        self._waits[wait] = self._clients[gevent.getcurrent()]

        try:
            with super().timeout_ctx():
                yield
        finally:
            del self._waits[wait]

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop taking connections, and end the waits of idle ones."""
        if self.alive:
            super().handle_exit(sig, frame)
            self._shared[0] = Stage.STOPPING
            # Not in the signal handler, which must not block: see gunicorn's own `handle_quit`.
            gevent.spawn(self._close_idle)

    def _close_idle(self) -> None:
        while True:
            before = dict(self._waits)
            gevent.sleep(LAST_REQUEST)

            for wait, client in before.items():
                if wait in self._waits:
                    _end_if_silent(client)


def _end_if_silent(client: socket.socket) -> None:
    # For a closed socket or one that has broken, the wait ends by itself.
    with contextlib.suppress(OSError, ValueError):
        waiting = fcntl.ioctl(client.fileno(), termios.FIONREAD, bytes(4))  # tcp(7): SIOCINQ

        # The wait reads an end, but a request that comes before it does so. Breaking the wait off
        # would lose one that has come and was not yet read.
        if not any(waiting):
            client.shutdown(socket.SHUT_RD)


class Logger(GunicornLogger):  # type: ignore[misc]  # gunicorn has no annotations
    """Writes gunicorn's own messages only; `logs.access` writes a line for each request."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> None:
        """Do nothing."""
        # Configured away, gunicorn would still prepare a line for each request and then drop it.
