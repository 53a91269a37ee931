"""Writing lines: without blocking, without failing, and each event once."""

import collections
import contextlib
import fcntl
import logging
import struct
import termios
from collections.abc import Callable
from mmap import PAGESIZE

# Imported before gevent patches: a log line must not yield.
from select import PIPE_BUF, POLLOUT, poll
from typing import Any

from chatproxy.errors import AnswerBroken, CallerLeft, ShuttingDown
from chatproxy.logs.json_lines import JsonFormatter

#: Errors of an answer under way, for which gunicorn logs a traceback. The access line names them.
LOGGED_WITH_REQUEST = (AnswerBroken, CallerLeft, ShuttingDown, TimeoutError)

#: Characters that the number of dropped lines may add to one.
COUNT = 32


class AlreadyLogged(logging.Filter):
    """Drops gunicorn's tracebacks of errors that the request's own line names."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for a record that repeats a broken answer or a caller who left."""
        error = record.exc_info[1] if record.exc_info else None
        return not (record.name == "gunicorn.error" and isinstance(error, LOGGED_WITH_REQUEST))


class LineHandler(logging.StreamHandler[Any]):
    """Writes lines without ever blocking.

    A line that would have to wait is dropped; the next one written says how many were. `later` is
    what calls a function when the turn of the event loop is over, None where there is no loop.
    """

    # A write(2) to a full pipe waits for its reader, and with it all requests of the worker.

    def __init__(self, stream: Any = None) -> None:
        super().__init__(stream)
        self.later: Callable[[Callable[[], None]], object] | None = None
        self._waiting: collections.deque[str] = collections.deque()
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, behind all that came before it, unless that would block."""
        self._write_waiting()

        if not self._can_write():
            self._dropped += 1
            return

        if self._dropped:
            record.droppedLines = self._dropped

        try:
            text = f"{self.format(record)}\n"
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)
            return

        if self._can_write(len(text.encode("utf-8", "replace"))):
            self._dropped = 0
            self._put(text)
        else:
            self._dropped += 1

    def write(self, line: str) -> None:
        """Write a finished line of JSON, with the others of the same turn of the loop."""
        self._waiting.append(line)

        if self.later is None:
            self._write_waiting()
        elif len(self._waiting) == 1:
            self.later(self._write_waiting)

    def flush(self) -> None:
        """Write what waits: the process ends, or somebody wants to read it."""
        self._write_waiting()
        super().flush()

    def _write_waiting(self) -> None:
        waiting = self._waiting

        while waiting:
            if self._can_write(len(waiting[0]) + COUNT):
                self._put(self._next(waiting))
            else:
                waiting.popleft()
                self._dropped += 1

    def _put(self, text: str) -> None:
        # As in `handleError`.
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()

    def _next(self, waiting: collections.deque[str]) -> str:
        # So much a pipe takes as a whole: no line of another worker gets in between, and where
        # there is room at all, there is room for it (pipe(7)).
        text = waiting.popleft()

        if self._dropped:
            text, self._dropped = f'{text[:-1]}, "droppedLines": {self._dropped}}}', 0

        lines, size = [text], len(text) + 1

        while waiting and (size := size + len(waiting[0]) + 1) <= PIPE_BUF:
            lines.append(waiting.popleft())

        return "\n".join((*lines, ""))

    def _can_write(self, size: int = PIPE_BUF) -> bool:
        try:
            output = self.stream.fileno()
            writable = poll()
            writable.register(output, POLLOUT)
            return bool(writable.poll(0)) and (size <= PIPE_BUF or _has_room(output, size))
        except (OSError, ValueError):  # no descriptor: a stream in memory, or a closed one
            return True

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Drop the line: a closed or full log must not fail a request."""


def _has_room(output: int, size: int) -> bool:
    """Say whether so many bytes can be written without a wait; True for what is no pipe."""
    try:
        capacity = fcntl.fcntl(output, fcntl.F_GETPIPE_SZ)
    except OSError:
        return True

    # A pipe has room for pages, not for bytes. Any two that follow each other hold together more
    # than one has room for, but the first may have been read in part, and two be begun only.
    (held,) = struct.unpack("i", fcntl.ioctl(output, termios.FIONREAD, bytes(4)))
    return int(2 * held + size) <= capacity - 3 * PAGESIZE


def alone_behind(logger: logging.Logger, level: int) -> tuple[LineHandler, JsonFormatter] | None:
    """Return what writes a logger's lines of a level, if it does so in JSON and nobody else does.

    Others that listen, and the form for people, need a record of each event.
    """
    found: logging.Handler | None = None
    current: logging.Logger | None = logger

    while current is not None:
        for one in current.handlers:
            if found is not None:
                return None

            found = one

        current = current.parent if current.propagate else None

    # Not a derived one: the form for people is made of it.
    if type(found) is not LineHandler or type(found.formatter) is not JsonFormatter:
        return None

    looks = logger.filters or any(type(one) is not AlreadyLogged for one in found.filters)
    return None if looks or found.level > level else (found, found.formatter)
