"""Writing lines: without blocking, without failing, and each event once."""

import logging
from select import POLLOUT, poll  # imported before gevent patches: a log line must not yield
from typing import Any

from chatproxy.errors import AnswerBroken, CallerLeft, ShuttingDown

#: Errors of an answer under way, for which gunicorn logs a traceback. The access line names them.
LOGGED_WITH_REQUEST = (AnswerBroken, CallerLeft, ShuttingDown, TimeoutError)


class AlreadyLogged(logging.Filter):
    """Drops gunicorn's tracebacks of errors that the request's own line names."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for a record that repeats a broken answer or a caller who left."""
        error = record.exc_info[1] if record.exc_info else None
        return not (record.name == "gunicorn.error" and isinstance(error, LOGGED_WITH_REQUEST))


class LineHandler(logging.StreamHandler[Any]):
    """Writes lines without ever blocking.

    A line that would have to wait is dropped; the next one written says how many were.
    """

    # A write(2) to a full pipe waits for its reader, and with it all requests of the worker.

    def __init__(self, stream: Any = None) -> None:
        super().__init__(stream)
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, unless that would block."""
        if not self._can_write():
            self._dropped += 1
            return

        if self._dropped:
            record.droppedLines, self._dropped = self._dropped, 0

        super().emit(record)

    def _can_write(self) -> bool:
        try:
            writable = poll()
            writable.register(self.stream.fileno(), POLLOUT)
            return bool(writable.poll(0))
        except (OSError, ValueError):  # no descriptor: a stream in memory, or a closed one
            return True

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Drop the line: a closed or full log must not fail a request."""
