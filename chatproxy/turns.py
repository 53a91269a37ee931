"""Long work in turns: a worker serves all its requests in one thread, so none may keep it."""

import time


class Turns:
    """Counts work, in any unit; after each `size` of it the worker's other requests run."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._done = 0

    def count(self, amount: int = 1) -> None:
        """Note work that was done, and perhaps let other requests run."""
        self._done += amount

        if self._done >= self._size:
            self._done = 0
            time.sleep(0)  # under gevent: back to the event loop
