"""One JSON object per line, in the format that the platform indexes, without secrets.

`level` is a number (trace 10 … fatal 60), `time` is in epoch milliseconds, what is written while a
request is served has its ids, and what a call passes as `extra` becomes fields of the object. Every
finished line is searched for secrets, whoever wrote it: the sidecar, gunicorn or a library.
"""

import functools
import json
import logging
import os
import re
import socket
import traceback
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any

from chatproxy.clock import Clock
from chatproxy.logs import correlation
from chatproxy.logs.levels import NUMBERS
from chatproxy.logs.redaction import REDACTED, redactor

#: Secrets that are searched for in each line.
MOST_SECRETS = 500

#: Parts of lines that are remembered: callers choose what is in them.
MOST_KNOWN = 128

#: Makes a value in a line of a text.
Text = Callable[[str], str]

#: gunicorn quotes what it could not parse. That text is the caller's, and may hold a secret.
QUOTED_BY_SERVER = re.compile(
    r"(Invalid request from ip=\S+ |Ignored premature client disconnection)([^'\"]*).*", re.S
)
QUERY = re.compile(r"\?[^\s'\"]+")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats every record of the process, gunicorn's included."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = list(secrets)
        self._redact = redactor(self._secrets)
        self._hostname = socket.gethostname()
        self._now = Clock().now
        # `json.dumps` with arguments makes a new encoder for each line.
        self._encode = json.JSONEncoder(default=str).encode
        #: Makes a part of a line that comes again and again, by its function and the values in it.
        self.known = functools.lru_cache(MOST_KNOWN)(self._made)

    def hide(self, secrets: Iterable[str]) -> None:
        """Redact further secrets as well; of very many, those that were told last."""
        # Each costs every line a search, and secrets that rotate are never few.
        later = dict.fromkeys(secrets)
        earlier = [one for one in self._secrets if one not in later]
        self._secrets = [*earlier, *later][-MOST_SECRETS:]
        self._redact = redactor(self._secrets)
        self.known.cache_clear()

    def text(self, text: str) -> str:
        """Return a text as a value in a line: in JSON, and without secrets."""
        return self._redact(encode_basestring_ascii(text))

    def _made(self, make: Callable[..., str], *values: str | int) -> str:
        return make(self.text, *values)

    def fields(self, fields: Mapping[str, Any]) -> str:
        """Return fields as they stand in a line, without the braces around them."""
        return self._redact(self._encode(fields)[1:-1])

    def line(self, level: int, message: str, fields: str) -> str:
        """Return the line of an event whose fields were made by `text` and `fields`.

        `message` is ours, and needs no escape.
        """
        ids = "".join(
            f'"{name}": {self.text(one)}, ' for name, one in correlation.current().items()
        )
        host = encode_basestring_ascii(self._hostname)
        return (
            f'{{"level": {NUMBERS[level]}, "time": {int(self._now() * 1000)}, "msg": "{message}", '
            f'"pid": {os.getpid()}, "hostname": {host}, {ids}{fields}}}'
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, Any] = {
            "level": NUMBERS.get(record.levelno, record.levelno),
            "time": int(record.created * 1000),
            "msg": _message(record),
            "pid": os.getpid(),
            "hostname": self._hostname,
            **correlation.current(),
        }
        line.update((key, value) for key, value in vars(record).items() if key not in _STANDARD)

        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _error(record.exc_info[1])

        return self._redact(self._encode(line))


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()

    if record.name == "gunicorn.error":
        text = QUOTED_BY_SERVER.sub(rf"\1\2{REDACTED}", text)
        text = QUERY.sub(f"?{REDACTED}", text)

    return text


def _error(error: BaseException) -> dict[str, Any]:
    return {
        "type": type(error).__name__,
        "message": str(error),
        "stackTrace": "".join(traceback.format_exception(error)),
    }
