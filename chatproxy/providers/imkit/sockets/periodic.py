"""Periodic work, in a thread that runs only while it is needed."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Periodic:
    """Calls `work` at an interval, from `start` until `is_needed` returns False."""

    def __init__(
        self, work: Callable[[], None], is_needed: Callable[[], bool], seconds: float
    ) -> None:
        self._work = work
        self._is_needed = is_needed
        self._seconds = seconds
        self._lock = threading.Lock()
        self._runs = False

    def start(self) -> None:
        """Start the thread, unless it runs. `is_needed` has to be true by now."""
        with self._lock:
            if not self._runs:
                threading.Thread(target=self._run, daemon=True).start()
                self._runs = True

    def _run(self) -> None:
        while self._continues():
            try:
                self._work()
            except Exception:
                # The thread must survive: without it nothing is checked, and nobody notices.
                log.exception("what is done again and again failed")

            time.sleep(self._seconds)

    def _continues(self) -> bool:
        # Under the lock: a `start` between the question and the answer would be lost.
        with self._lock:
            self._runs = self._is_needed()
            return self._runs
