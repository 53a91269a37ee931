"""One JSON object per line, in the shape the platform indexes, without a secret.

`level` is a number (trace 10 … fatal 60), `time` epoch milliseconds. What a call
puts into `extra` becomes fields of the object. Every finished line is searched
for secrets, whoever wrote it: the sidecar, the server in front, or a library.
"""

import base64
import json
import logging
import os
import re
import socket
import traceback
from collections.abc import Callable, Iterable
from select import POLLOUT, poll  # the system's own, whatever a worker patches later
from typing import Any
from urllib.parse import quote

from chatproxy.errors import AnswerBroken, CallerLeft

TRACE = 5
SILENT = 100

#: Names of the settings to Python's levels.
LEVELS = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
    "silent": SILENT,
}

#: Python's levels to the numbers of the platform.
NUMBERS = {
    TRACE: 10,
    logging.DEBUG: 20,
    logging.INFO: 30,
    logging.WARNING: 40,
    logging.ERROR: 50,
    logging.CRITICAL: 60,
}

REDACTED = "[REDACTED]"

#: In front of a secret in an encoded line: no half of an escape, which would be torn apart.
NOT_ESCAPED = r"(?<!\\)((?:\\\\)*)"

#: Characters below which a text is no secret, and taking it out would spoil the line.
SHORTEST_SECRET = 6

#: How often a secret may have been written as JSON within JSON, the line itself included.
DEEPEST_JSON = 3

#: What looks like a secret although we do not know it: a JWT, an API key of ours, an
#: authorisation header, a credential in a query. The text in front is looked for first, since
#: hardly any line has one and a pattern costs much more.
SECRET_SHAPES = (
    ("eyJ", re.compile(r"eyJ[A-Za-z0-9_-]{5,}+\.[A-Za-z0-9_-]++\.[A-Za-z0-9_-]*")),
    ("sk_", re.compile(r"sk_[A-Za-z0-9_-]{16,}+(?:\.[A-Za-z0-9_-]+)?")),
    ("asic ", re.compile(r"(?<=asic )[A-Za-z0-9+/=_-]{4,}")),
    ("earer ", re.compile(r"(?<=earer )[A-Za-z0-9+/=._~-]{4,}")),
    ("api_key=", re.compile(r"(?<=api_key=)[^&\s\"'\\]+")),
    ("api_secret=", re.compile(r"(?<=api_secret=)[^&\s\"'\\]+")),
    ("token=", re.compile(r"(?<=token=)[^&\s\"'\\]+")),
)

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


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Make a function that takes secrets out of a line: the known ones and what looks like one.

    Known secrets are found as they stand, JSON-escaped, URL-encoded and in base64.
    """
    found = {form for secret in secrets for form in _forms(secret)}
    forms = sorted((one for one in found if len(one) >= SHORTEST_SECRET), key=len, reverse=True)

    def redact(line: str) -> str:
        for form in forms:
            if form in line:
                line = re.sub(NOT_ESCAPED + re.escape(form), rf"\1{REDACTED}", line)

        for mark, shape in SECRET_SHAPES:
            if mark in line:
                line = shape.sub(REDACTED, line)

        return line

    return redact


def hide(secrets: Iterable[str]) -> None:
    """Take further secrets out of all lines from now on: those made after the start."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonFormatter):
            handler.formatter.hide(secrets)


def configuration(level: str, secrets: Iterable[str]) -> dict[str, Any]:
    """Return the logging configuration of the process (`logging.config.dictConfig`)."""
    logging.addLevelName(TRACE, "TRACE")
    number = LEVELS[level]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter, "secrets": list(secrets)}},
        "filters": {"told": {"()": "chatproxy.logs.AlreadyTold"}},
        "handlers": {
            "stdout": {
                "class": "chatproxy.logs.LineHandler",
                "formatter": "json",
                "filters": ["told"],
                "stream": "ext://sys.stdout",
            }
        },
        "root": {"level": number, "handlers": ["stdout"]},
        "loggers": {
            "gunicorn.error": {"level": number, "propagate": True, "handlers": []},
            "gunicorn.access": {"level": SILENT, "propagate": False, "handlers": []},
        },
    }


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


def _forms(secret: str) -> Iterable[str]:
    """Return the secret as it could stand in a line.

    In base64 the three offsets within a longer text differ; each is cut to the
    characters that depend on the secret alone.
    """
    yield secret
    yield quote(secret, safe="")
    escaped = secret

    for _ in range(DEEPEST_JSON):
        escaped = json.dumps(escaped)[1:-1]
        yield escaped

    raw = secret.encode()

    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        start = (0, 2, 3)[offset]
        inner = encoded.rstrip("=")[start : len(encoded) if not (offset + len(raw)) % 3 else -1]
        yield from (inner, inner.replace("+", "-").replace("/", "_"))
