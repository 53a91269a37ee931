"""Something that is done again and again, in a thread that is there only while it is needed."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Repeated:
    """`work` every so many seconds, from `start` on, as long as `is_needed` says so."""

    def __init__(
        self, work: Callable[[], None], is_needed: Callable[[], bool], seconds: float
    ) -> None:
        self._work = work
        self._is_needed = is_needed
        self._seconds = seconds
        self._lock = threading.Lock()
        self._runs = False

    def start(self) -> None:
        """Begin, unless it is under way. Call it after that which makes it needed."""
        with self._lock:
            if not self._runs:
                threading.Thread(target=self._run, daemon=True).start()
                self._runs = True

    def _run(self) -> None:
        while self._goes_on():
            try:
                self._work()
            except Exception:
                # Without this thread nobody would look any more, and nobody would know.
                log.exception("what is done again and again failed")

            time.sleep(self._seconds)

    def _goes_on(self) -> bool:
        """Say whether it is still needed. In one step: `start` must not come between."""
        with self._lock:
            self._runs = self._is_needed()
            return self._runs
