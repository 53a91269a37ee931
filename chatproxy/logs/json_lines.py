"""One JSON object per line, in the shape the platform indexes, without a secret.

`level` is a number (trace 10 … fatal 60), `time` epoch milliseconds. What a call
puts into `extra` becomes fields of the object. Every finished line is searched
for secrets, whoever wrote it: the sidecar, the server in front, or a library.
"""

import json
import logging
import os
import re
import socket
import traceback
from collections.abc import Iterable
from select import POLLOUT, poll  # the system's own, whatever a worker patches later
from typing import Any

from chatproxy.errors import AnswerBroken, CallerLeft
from chatproxy.logs.levels import NUMBERS
from chatproxy.logs.redaction import REDACTED, redactor

#: The server quotes what it could not read; that text is the caller's and may be anything.
QUOTED_BY_SERVER = re.compile(
    r"(Invalid request from ip=\S+ |Ignored premature client disconnection)([^'\"]*).*", re.S
)
QUERY = re.compile(r"\?[^\s'\"]+")

#: Failures of an answer under way; the request's own line names them.
TOLD = (AnswerBroken, CallerLeft, TimeoutError)

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats every record of the process, the server's own included."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = list(secrets)
        self._redact = redactor(self._secrets)
        self._hostname = socket.gethostname()
        # `json.dumps` would make an encoder for each line.
        self._encode = json.JSONEncoder(default=str).encode

    def hide(self, secrets: Iterable[str]) -> None:
        """Look for further secrets too."""
        self._secrets.extend(secrets)
        self._redact = redactor(self._secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, Any] = {
            "level": NUMBERS.get(record.levelno, record.levelno),
            "time": int(record.created * 1000),
            "msg": _message(record),
            "pid": os.getpid(),
            "hostname": self._hostname,
        }
        line.update((key, value) for key, value in vars(record).items() if key not in _STANDARD)

        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _error(record.exc_info[1])

        return self._redact(self._encode(line))


class AlreadyTold(logging.Filter):
    """Drops the server's tracebacks of failures that the request's own line tells."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record unless it repeats a broken answer or a caller who stopped reading."""
        error = record.exc_info[1] if record.exc_info else None
        return not (record.name == "gunicorn.error" and isinstance(error, TOLD))


class LineHandler(logging.StreamHandler[Any]):
    """Writes lines; where nobody can take them, the request goes on without.

    A full pipe would hold up the whole worker, so a line that would have to wait is
    dropped, and the next one that can be written says how many were.
    """

    def __init__(self, stream: Any = None) -> None:
        super().__init__(stream)
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, unless that would have to wait."""
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
        except (OSError, ValueError):  # no descriptor: a test's stream, or a closed one
            return True

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Drop the line: a closed or full log must not fail a request."""


def _message(record: logging.LogRecord) -> str:
    """Return the text; of the server's own lines without what callers wrote."""
    text = record.getMessage()

    if record.name == "gunicorn.error":
        text = QUOTED_BY_SERVER.sub(rf"\1\2{REDACTED}", text)
        text = QUERY.sub(f"?{REDACTED}", text)

    return text


def _error(error: BaseException) -> dict[str, Any]:
    """Describe an exception in the platform's field names."""
    return {
        "type": type(error).__name__,
        "message": str(error),
        "stackTrace": "".join(traceback.format_exception(error)),
    }
