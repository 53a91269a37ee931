"""Asks whether the directory works while nobody else does.

Readiness shows what is known of the directory. Without this it would show what the last request
met, however long ago that was.
"""

import contextlib
import threading
from collections.abc import Callable

from chatproxy.errors import ChatproxyError

#: Seconds for which an answer is good, and for which anybody waits for a new one.
GOOD_FOR = 1.0
WAITS = 0.5


class Lookout:
    """Asks by `ping`, in a thread of its own and one at a time: a database may take its time."""

    def __init__(self, ping: Callable[[], None], monotonic: Callable[[], float]) -> None:
        self._ping = ping
        self._monotonic = monotonic
        self._asking: threading.Thread | None = None
        self._asked: float | None = None

    @property
    def waiting_since(self) -> float | None:
        """When the question was asked to which there is no answer yet; None if there is one."""
        asking = self._asking
        return self._asked if asking is not None and asking.is_alive() else None

    def look(self) -> None:
        """Ask anew where the last answer is old, and wait for this one, but not for long."""
        asking = self._asking

        if asking is None or not asking.is_alive():
            now = self._monotonic()

            if self._asked is not None and now - self._asked < GOOD_FOR:
                return

            self._asked = now
            self._asking = asking = threading.Thread(target=self._ask, name="lookout", daemon=True)
            asking.start()

        asking.join(WAITS)

    def _ask(self) -> None:
        with contextlib.suppress(ChatproxyError):  # the database keeps what went wrong
            self._ping()
