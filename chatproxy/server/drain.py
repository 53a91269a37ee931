"""Whether the service is being stopped: one byte, which the first process shares with its workers.

A signal to each worker would say it as well, but not to one that starts meanwhile: until it has
handlers of its own, a new worker loses every signal.
"""

import mmap


class Drain:
    """Begun once, and never taken back."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)

    def begin(self) -> None:
        """Tell all processes that the service is being stopped."""
        self._shared[0] = 1

    def has_begun(self) -> bool:
        """Say whether the service is being stopped."""
        return self._shared[0] != 0


#: That of this process and of all that it forks.
DRAIN = Drain()
