"""gunicorn's arbiter, changed in three ways.

- A worker is not stopped before its successor serves. gunicorn replaces one when it has ended, and
  at a reload it stops the old ones as soon as the new ones are forked. Either way nobody would take
  a connection for as long as a start takes.
- A reload and a stop go on whatever becomes of a new worker. gunicorn's own reload only waits, and
  its stop tells each worker once.
- At SIGTERM it serves on for a while, so that whoever sends requests here learns of the stop first.
"""

import contextlib
import os
import signal
import sys
from typing import Any

from gunicorn import arbiter
from gunicorn.app import base

from chatproxy.clock import Clock
from chatproxy.metrics.segments import of_this_server
from chatproxy.metrics.table import WORKERS_STARTED
from chatproxy.server.drain import DRAIN
from chatproxy.server.worker import Worker

#: Upon these the arbiter ends.
STOPS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})


class _MustStop(Exception):
    """A reload has something more urgent to wait for."""


class Arbiter(arbiter.Arbiter):  # type: ignore[misc]  # gunicorn has no annotations
    """The first process, which starts and stops the workers."""

    WORKERS: dict[int, Worker]

    #: Seconds between SIGTERM and the graceful stop; `install` sets it.
    drain_seconds = 0
    _monotonic = staticmethod(Clock().monotonic)
    _drained_at: float | None = None

    #: The age of the youngest worker that the last reload replaces.
    _replaced_age = 0
    _reloads = False
    _must_stop = False

    def signal(self, sig: int, frame: Any) -> None:
        """Queue a signal, as a handler."""
        # Here, not when its turn comes: readiness has to say it at once. But a worker that has just
        # been forked has this handler, too, and a signal to it alone stops no service.
        if sig in STOPS and os.getpid() == self.pid:
            self._must_stop = True
            DRAIN.begin()

        super().signal(sig, frame)

    def handle_term(self) -> None:
        """Serve on for a while, then stop; at a second SIGTERM at once."""
        if self._drained_at is not None or not self.drain_seconds:
            super().handle_term()

        self._drained_at = self._monotonic() + self.drain_seconds
        self.log.info("Serving on for %s s before the stop", self.drain_seconds)

    def handle_hup(self) -> None:
        """Reload, unless nobody will need it."""
        if DRAIN.has_begun():
            self.log.info("Not reloading: the service is being stopped")
        else:
            super().handle_hup()

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Return the signals that came, after so many seconds at most; end the drain in time."""
        if self._drained_at is not None:
            left = self._drained_at - self._monotonic()

            if left <= 0:
                raise StopIteration  # as `handle_term` does

            timeout = min(timeout, left)

        signals: list[int] = super().wait_for_signals(timeout)
        return signals

    def reload(self) -> None:
        """Read the settings again and replace the workers; return when the old ones have ended."""
        self._replaced_age, self._reloads = self.worker_age, True

        try:
            with contextlib.suppress(_MustStop):
                super().reload()
        finally:
            self._reloads = False

    def stop(self, graceful: bool = True) -> None:
        """End all workers."""
        # So that `reap_workers` tells it again to one that was too young to hear it: until it has
        # its own handlers, a new worker loses every signal.
        self.num_workers = 0
        super().stop(graceful)

    def manage_workers(self) -> None:
        """Start the workers that are missing, and stop those that are one too many."""
        for _ in range(self.num_workers - len(self._staying())):
            self.spawn_worker()

        self._stop_replaced()

    def spawn_worker(self) -> int:
        """Start a worker; return its process's id."""
        self._take_back_segments()
        WORKERS_STARTED.add()
        pid: int = super().spawn_worker()
        return pid

    def reap_workers(self) -> None:
        """Forget the workers that have ended."""
        super().reap_workers()
        self._take_back_segments()

        # A reload waits for the old workers to end in a loop that calls nothing but this: a
        # successor that dies or hangs would keep it there until the graceful timeout.
        if self._reloads:
            if self._must_stop:
                raise _MustStop

            self.murder_workers()
            self.manage_workers()
        else:
            self._stop_replaced()

    def _stop_replaced(self) -> None:
        staying = self._staying()

        if len(staying) == self.num_workers and all(worker.serves() for worker in staying):
            for pid, worker in list(self.WORKERS.items()):
                if worker not in staying and not worker.stops():
                    self.kill_worker(pid, signal.SIGTERM)

    def _take_back_segments(self) -> None:
        of_this_server().keep(worker.segment for worker in self.WORKERS.values())

    def _staying(self) -> list[Worker]:
        by_age = sorted(self.WORKERS.values(), key=lambda worker: worker.age)
        # Those that a reload replaces go even where a successor has died.
        staying = [
            worker for worker in by_age if worker.age > self._replaced_age and not worker.stops()
        ]

        # One at a time: starts take a core each, and a worker may take long to end.
        if staying == by_age:
            tired = next((worker for worker in by_age if worker.wants_to_end()), None)
            staying = [worker for worker in by_age if worker is not tired]

        # The youngest, so that a reload replaces the old.
        return staying[max(0, len(staying) - self.num_workers) :]


def install(drain_seconds: int) -> None:
    """Make gunicorn run this arbiter, which serves on for so many seconds after SIGTERM."""
    Arbiter.drain_seconds = drain_seconds

    # As process 1, in a container, it would not even hear a SIGTERM before gunicorn has handlers,
    # as long as the database takes to be upgraded (pid_namespaces(7)).
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    # It has no setting for it: its application looks the class up in its own module.
    base.Arbiter = Arbiter
