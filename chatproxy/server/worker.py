"""gunicorn's gevent worker, with two changes.

It lets go of idle connections when it stops: else a shutdown waits for every client
that keeps a connection open, which all SDKs do, until the graceful timeout ends. And
between two requests of a connection the others have their turn: else one whose next
request is always there already would be served alone.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import gevent
from gunicorn.workers.ggevent import GeventWorker

#: Seconds in which a kept connection may still ask while the worker stops: what is
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
        """Stop taking requests: end the waits of idle connections as if they had timed out."""
        super().handle_exit(sig, frame)
        gevent.spawn(self._let_go)

    def _let_go(self) -> None:
        loop = gevent.get_hub().loop

        for connection, timeout in list(self._idle.items()):
            # From the loop: thrown from here, the first one would not come back.
            loop.run_callback(connection.throw, timeout)
