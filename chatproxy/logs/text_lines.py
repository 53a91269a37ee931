"""One line per record for people, with the fields and the redaction of the JSON lines.

    2026-11-27 15:10:22.023 INFO  GET /proxy/app 200 12ms 1.2kB → stream 200 (11ms)  reqId=5f0c…

The line is made of the finished JSON one: nothing can be in it that was removed there. What
callers, providers and exceptions bring is escaped, so that none of it begins a line or moves the
cursor. A traceback follows in lines of its own, each indented.
"""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from chatproxy.logs import access
from chatproxy.logs.json_lines import JsonFormatter
from chatproxy.logs.levels import SHORT_NAMES
from chatproxy.logs.plain_text import duration, paint, pairs, plain, size, unpainted

#: What the front of a line says, or is of no use to somebody who sees the process.
AT_THE_FRONT = frozenset({"level", "time", "msg", "pid", "hostname", "error"})

#: What the front of a request's line says. Who asked, and with what, is for the JSON lines.
OF_A_REQUEST = AT_THE_FRONT | {
    "http",
    "url",
    "host",
    "responseTime",
    "timeToFirstByte",
    "brokenBy",
    "upstream",
}

LEVEL_COLOURS = {10: "dim", 20: "dim", 30: "green", 40: "yellow", 50: "red", 60: "alarm"}
STATUS_COLOURS = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}

INDENT = "    "


class TextFormatter(JsonFormatter):
    """Formats every record of the process, gunicorn's included.

    `encoding` is that of the stream: what it cannot hold is escaped.
    """

    def __init__(
        self, secrets: Iterable[str] = (), *, coloured: bool = False, encoding: str = "utf-8"
    ) -> None:
        super().__init__(secrets)
        self._paint = paint if coloured else unpainted
        self._encoding = encoding
        self._arrow = "→" if "→".encode(encoding, "replace").decode(encoding) == "→" else "->"

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line, with the lines of its traceback below it."""
        line = super().format(record)

        try:
            text = self._text(record.name, json.loads(line))
        except (AttributeError, KeyError, TypeError, ValueError):
            # A secret of digits was removed from a number, or another one from a name.
            text = plain(line)

        return text.encode(self._encoding, "backslashreplace").decode(self._encoding)

    def _text(self, name: str, fields: Mapping[str, Any]) -> str:
        is_request = name == access.log.name
        error = fields.get("error") or {}
        level = fields["level"]
        shown = SHORT_NAMES.get(level, str(level))
        what = self._request(fields) if is_request else plain(fields["msg"])
        said = OF_A_REQUEST if is_request else AT_THE_FRONT
        rest = {field: value for field, value in fields.items() if field not in said}
        front = " ".join(
            (
                self._paint(_moment(fields["time"]), "dim"),
                self._paint(f"{shown:5}", LEVEL_COLOURS.get(level, "dim")),
                what + _error(error),
            )
        )
        lines = [f"{front}  {self._paint(' '.join(pairs(rest)), 'dim')}" if rest else front]
        trace = error.get("stackTrace", "").rstrip("\n")
        lines += [INDENT + plain(one) for one in trace.split("\n") if trace]
        return "\n".join(lines)

    def _request(self, fields: Mapping[str, Any]) -> str:
        http, path = fields["http"], plain(fields["url"]["path"])
        asked = f"{plain(http['request']['method'])} {path}"

        if "response" not in http:
            return f"{asked} {self._paint('arrived', 'dim')}"

        status, received = http["response"]["statusCode"], http["request"]["body"]["bytes"]
        parts = [
            asked,
            self._status(status),
            duration(fields["responseTime"]),
            size(http["response"]["body"]["bytes"]),
        ]

        if received:
            parts.append(f"({size(received)} in)")

        if upstream := fields.get("upstream"):
            took = duration(upstream["timeToHeaders"])
            parts += [self._arrow, plain(upstream["provider"])]
            parts += [self._status(upstream["statusCode"]), f"({took})"]

        if side := fields.get("brokenBy"):
            colour = "yellow" if side == "caller" else "red"
            parts.append(self._paint(f"broken by {plain(side)}", colour))

        return " ".join(parts)

    def _status(self, status: int) -> str:
        return self._paint(str(status), STATUS_COLOURS.get(status // 100, "dim"))


def _error(error: Mapping[str, Any]) -> str:
    if not error:
        return ""

    message, detail = error.get("message", ""), error.get("detail", "")
    told = f": {plain(error.get('type', ''))}{': ' if message else ''}{plain(message)}"
    return f"{told} ({plain(detail)})" if detail else told


def _moment(milliseconds: int) -> str:
    # Of this machine's zone, as the reader's other windows have it.
    seconds, rest = divmod(milliseconds, 1000)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(seconds))}.{rest:03}"
