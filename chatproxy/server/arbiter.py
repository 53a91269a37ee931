"""gunicorn's arbiter, changed in one way: a worker is not stopped before its successor serves.

gunicorn replaces a worker when it has ended, and at a reload it stops the old ones as soon as the
new ones are forked. Either way nobody would take a connection for as long as a start takes.
"""

import signal

from gunicorn import arbiter
from gunicorn.app import base

from chatproxy.server.worker import Worker


class Arbiter(arbiter.Arbiter):  # type: ignore[misc]  # gunicorn has no annotations
    """The first process, which starts and stops the workers."""

    WORKERS: dict[int, Worker]

    def manage_workers(self) -> None:
        """Start the workers that are missing, and stop those that are one too many."""
        for _ in range(self.num_workers - len(self._staying())):
            self.spawn_worker()

        self._stop_replaced()

    def reap_workers(self) -> None:
        """Forget the workers that have ended."""
        super().reap_workers()
        # A reload waits for the old workers to end in a loop that calls nothing but this.
        self._stop_replaced()

    def _stop_replaced(self) -> None:
        staying = self._staying()

        if len(staying) == self.num_workers and all(worker.serves() for worker in staying):
            for pid, worker in list(self.WORKERS.items()):
                if worker not in staying and not worker.stops():
                    self.kill_worker(pid, signal.SIGTERM)

    def _staying(self) -> list[Worker]:
        by_age = sorted(self.WORKERS.values(), key=lambda worker: worker.age)
        staying = [worker for worker in by_age if not worker.stops()]

        # One at a time: starts take a core each, and a worker may take long to end.
        if staying == by_age:
            tired = next((worker for worker in by_age if worker.wants_to_end()), None)
            staying = [worker for worker in by_age if worker is not tired]

        # The youngest, so that a reload replaces the old.
        return staying[max(0, len(staying) - self.num_workers) :]


def install() -> None:
    """Make gunicorn run this arbiter."""
    # It has no setting for it: its application looks the class up in its own module.
    base.Arbiter = Arbiter
