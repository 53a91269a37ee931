"""gunicorn's gevent worker, changed in two ways, and its logger without an access log.

- It closes idle connections when it stops. Else a shutdown waits until the graceful timeout for
  every client that keeps a connection open, and all SDKs do.
- It yields between two requests of a connection. Else one that sends its next request before the
  last is answered would be the only one served.
"""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import gevent
from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.workers.ggevent import GeventWorker

#: Seconds in which a kept connection may still send a request while the worker stops: one that is
#: on its way already is served.
LAST_REQUEST = 0.1


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no annotations
    """One process, one event loop, a greenlet for each connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: dict[Any, gevent.Timeout] = {}

    @contextlib.contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """Bound the wait for a connection's next request, and make it interruptible."""
        # gunicorn waits in here for each head of a keep-alive connection.
        gevent.sleep(0)
        connection = gevent.getcurrent()
        seconds = self.cfg.keepalive if self.alive else LAST_REQUEST

        with gevent.Timeout(seconds, False) as timeout:  # type: ignore[arg-type]
            self._idle[connection] = timeout

            try:
                yield
            finally:
                del self._idle[connection]

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop taking requests, and end the waits of idle connections."""
        super().handle_exit(sig, frame)
        # Not in the signal handler, which must not block: see gunicorn's own `handle_quit`.
        gevent.spawn(self._close_idle)

    def _close_idle(self) -> None:
        # Throwing each wait's own timeout ends it the way gunicorn ends one that took too long.
        loop = gevent.get_hub().loop

        for connection, timeout in list(self._idle.items()):
            # From the loop: `throw` switches to the other greenlet, and would not return here.
            loop.run_callback(connection.throw, timeout)


class Logger(GunicornLogger):  # type: ignore[misc]  # gunicorn has no annotations
    """Writes gunicorn's own messages only; `logs.access` writes a line for each request."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> None:
        """Do nothing."""
        # Configured away, gunicorn would still prepare a line for each request and then drop it.
