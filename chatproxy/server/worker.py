"""gunicorn's gevent worker, changed in six ways, and its logger without an access log.

- It closes idle connections when it stops. Else a shutdown waits until the graceful timeout for
  every client that keeps a connection open, and all SDKs do.
- It yields between two requests of a connection that has not had to wait. Else one that sends its
  next request before the last is answered would be the only one served.
- It tells the arbiter how far it is, and after `max_requests` that it wants to end. gunicorn's own
  would end at once, and only then would another one be started.
- With as many connections as it may have, it closes the one that has kept it waiting longest. Else
  callers who say nothing would shut out all others.
- It gives an id to a request that it refuses itself. Else nobody could find it in the log.
- What is under way at the graceful timeout is answered, where that is possible, and logged. Else
  the arbiter would kill it, and nobody would know what was cut.
"""

import contextlib
import enum
import mmap
import resource
import socket
import sys
from datetime import timedelta
from typing import Any

import gevent
from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.workers.ggevent import GeventWorker

from chatproxy.errors import ShuttingDown
from chatproxy.logs import correlation
from chatproxy.metrics import series
from chatproxy.metrics.segments import of_this_server
from chatproxy.metrics.table import CONNECTIONS, MOST_CONNECTIONS, WORKERS
from chatproxy.server.plugins import packages_read_once
from chatproxy.server.waits import AGAIN, WAITS, Wait, What
from chatproxy.settings.sidecar import LAST_WORDS

#: Seconds for which a kept connection must have been silent before a worker that stops closes it.
#: A client that asks more often than that gets its `Connection: close` in an answer.
LAST_REQUEST = 1.0

#: Connections above the limit, so that there is one to accept while another is being closed.
RESERVE = 64

#: New waits that are not ended, a quarter of the limit at most.
SPARED = 16

#: Open files that are not connections, as far as so many are allowed.
OTHER_FILES = 256


class Stage(enum.IntEnum):
    """How far a worker is."""

    STARTING = 0
    SERVING = 1
    WANTS_TO_END = 2
    STOPPING = 3


class Connection:
    """One caller's connection.

    `turn` is the iteration of the event loop in which it was last given way to others. `serves`
    says that a request of it is under way.
    """

    __slots__ = ("serves", "sock", "turn")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.turn = -1
        self.serves = False


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no annotations
    """One process, one event loop, a greenlet for each connection."""

    max_requests: int
    worker_connections: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # In the arbiter, before the fork: of the two copies only this byte is shared.
        super().__init__(*args, **kwargs)
        self._shared = mmap.mmap(-1, 1)
        self._enough, self.max_requests = self.max_requests, sys.maxsize
        self._most = most_connections(self.worker_connections)
        self.worker_connections = self._most + min(RESERVE, self._most)
        self._connections: dict[Any, Connection] = {}
        self._runs = False
        #: Where it counts. Its successor goes on from there.
        self.segment = of_this_server().take()

    def init_process(self) -> None:
        """Serve, in the worker's own process."""
        series.count_in(self.segment)
        WORKERS.set(1)
        MOST_CONNECTIONS.set(self._most)
        WAITS.is_short = self._is_short
        WAITS.most = self._most
        WAITS.spared = max(1, min(SPARED, self._most // 4))
        read_once(self.cfg)
        super().init_process()

    def patch(self) -> None:
        """Make the standard library wait by switching to other greenlets."""
        with packages_read_once():
            super().patch()

    def run(self) -> None:
        """Serve until told to stop, and until all is done or the time for it is over."""
        self._runs = True
        gevent.spawn(_end_heads, self.cfg.keepalive)

        try:
            super().run()
        finally:
            self._runs = False

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
        greenlet = gevent.getcurrent()
        self._connections[greenlet] = Connection(client)
        CONNECTIONS.add()

        try:
            super().handle(listener, client, addr)
        finally:
            CONNECTIONS.add(by=-1)
            del self._connections[greenlet]
            WAITS.leaving.discard(client)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serve one request."""
        connection = self._connections[gevent.getcurrent()]
        connection.serves = True

        try:
            super().handle_request(listener_name, req, sock, addr)
        finally:
            connection.serves = False

    def timeout_ctx(self) -> Wait:
        """Return what bounds the wait for a connection's next request."""
        # gunicorn waits in here for each head of a keep-alive connection.
        connection = self._connections[gevent.getcurrent()]
        loop = gevent.get_hub().loop

        # Whoever has had to wait since, be it for a provider, has given way by that.
        if connection.turn == loop.iteration:
            gevent.sleep(0)

        connection.turn = loop.iteration
        correlation.end()
        return WAITS.waiting(connection.sock, What.HEAD)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what no application has seen, such as a head that cannot be read."""
        # Under the request's id where it has one, so that its lines are found by what it answers.
        if not correlation.current():
            correlation.begin({"reqId": correlation.request_id()})

        super().handle_error(req, client, addr, exc)

    def _is_short(self) -> bool:
        # One that is being closed makes its place free when its greenlet has run.
        return len(self._connections) - len(WAITS.leaving) > self._most

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop taking connections, and end the waits of idle ones."""
        if self.alive:
            super().handle_exit(sig, frame)
            self._shared[0] = Stage.STOPPING
            # Not in the signal handler, which must not block: see gunicorn's own `handle_quit`.
            gevent.spawn(_end_heads, LAST_REQUEST)
            # gunicorn's limit, at which the arbiter kills, has so much more (`gunicorn_conf`).
            gevent.spawn_later(max(0, self.cfg.graceful_timeout - LAST_WORDS), self._cut)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once."""
        self.alive = False
        self._shared[0] = Stage.STOPPING
        gevent.spawn(self._cut)

    def _cut(self) -> None:
        # Each is answered or broken off, and writes its line, where it is waiting now.
        with contextlib.suppress(gevent.Timeout):
            serving = [one for one, connection in self._connections.items() if connection.serves]
            gevent.killall(serving, ShuttingDown, timeout=LAST_WORDS / 2)

        if self._runs:
            sys.exit(0)  # raised in `run`


def read_once(cfg: Any) -> None:
    """Make each of gunicorn's settings a plain attribute, for as long as the worker lives."""
    # Each is looked up anew otherwise, 22 for a request. Nothing changes them here: after a reload
    # there are new workers. Those that are computed from several stay what they are, properties.
    vars(cfg).update((name, setting.get()) for name, setting in cfg.settings.items())


def _end_heads(limit: float) -> None:
    pause = limit

    while True:
        gevent.sleep(max(AGAIN, pause))
        pause = WAITS.end_heads(limit)


def most_connections(wanted: int) -> int:
    """Return how many connections to hold: each may need a second file, towards the provider."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)

    if files == resource.RLIM_INFINITY:
        return wanted

    return max(1, min(wanted, (files - min(OTHER_FILES, files // 4)) // 2))


class Logger(GunicornLogger):  # type: ignore[misc]  # gunicorn has no annotations
    """Writes gunicorn's own messages only; `logs.access` writes a line for each request."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> None:
        """Do nothing."""
        # Configured away, gunicorn would still prepare a line for each request and then drop it.
