"""Ctrl-C, and being told to end, in the middle of long work: not within one of its steps."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Interruption:
    """Ends the work that is done within it between two steps; a context manager."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self._asked: int | None = None
        self._in_step = False

    @contextlib.contextmanager
    def __call__(self) -> Iterator["Interruption"]:
        """Raise `Interrupted` where the process is asked to end."""
        # Elsewhere no handler can be set, and none is called.
        if threading.current_thread() is not threading.main_thread():
            yield self
            return

        before = {number: signal.signal(number, self._note) for number in self.SIGNALS}

        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Do what is not to be ended halfway."""
        self._in_step = True

        try:
            yield
        finally:
            self._in_step = False

        if self._asked is not None:
            raise Interrupted(self._asked)

    def comes_too_late(self) -> None:
        """Let the rest be done, which is not to be ended halfway, and raise nothing after it."""
        self._in_step = True

    def _note(self, number: int, _frame: FrameType | None) -> None:
        # The second time at once: a step may wait for a database that does not answer.
        is_second, self._asked = self._asked is not None, number

        if is_second or not self._in_step:
            raise Interrupted(number)


class Interrupted(Exception):  # noqa: N818 - a wish, not a fault
    """The process was asked to end, by the signal of this `number`."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
