"""The two lines that a request leaves in the log, in the platform's shape."""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from chatproxy.errors import Side
from chatproxy.formats.authority import host_in
from chatproxy.logs.levels import TRACE

log = logging.getLogger("chatproxy.request")

#: Characters that a caller's text may take in a line.
LONGEST_FIELD = 256
LONGEST_PATH = 2048

#: Probes come every few seconds; only their failures are worth a line.
STATUS_PREFIX = "/-/"


class Exchange(Protocol):
    """What the lines tell of one request and its answer. Times are in seconds."""

    id: str
    status: int
    sent: int
    first_byte: float | None
    broken_by: Side | None
    notes: dict[str, Any]

    @property
    def path(self) -> str:
        """The raw path."""
        ...

    @property
    def received(self) -> int:
        """Bytes of the caller's body that were read."""
        ...

    def seconds(self) -> float:
        """Return the age of the request."""
        ...


def write_incoming(exchange: Exchange, environ: Mapping[str, Any]) -> None:
    """Write that a request came, at trace."""
    if log.isEnabledFor(TRACE):
        log.log(TRACE, "incoming request", extra=_incoming(exchange, environ))


def write(exchange: Exchange, environ: Mapping[str, Any]) -> None:
    """Write that a request is over; of a probe only where it failed."""
    if exchange.path.startswith(STATUS_PREFIX):
        if exchange.status >= 500:
            log.error("request completed", extra=_completed(exchange, environ))
    elif log.isEnabledFor(logging.INFO):
        log.info("request completed", extra=_completed(exchange, environ))


def _incoming(exchange: Exchange, environ: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of both lines.

    The query is left out: it can hold names and texts of people.
    """
    return {
        "reqId": exchange.id,
        "http": {
            "request": {
                "method": environ["REQUEST_METHOD"],
                "userAgent": {"original": _short(environ.get("HTTP_USER_AGENT", ""))},
            }
        },
        "url": {"path": exchange.path[:LONGEST_PATH]},
        "host": {
            "hostname": host_in(environ.get("HTTP_HOST", "")),
            "forwardedHost": _short(environ.get("HTTP_X_FORWARDED_HOST", "")),
            "ip": _short(environ.get("HTTP_X_FORWARDED_FOR") or environ.get("REMOTE_ADDR", "")),
        },
    }


def _completed(exchange: Exchange, environ: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the completed line. Times are in milliseconds."""
    line = _incoming(exchange, environ)
    line["http"]["request"]["body"] = {"bytes": exchange.received}
    line["http"]["response"] = {"statusCode": exchange.status, "body": {"bytes": exchange.sent}}
    line["responseTime"] = round(exchange.seconds() * 1000, 3)

    if exchange.first_byte is not None:
        line["timeToFirstByte"] = round(exchange.first_byte * 1000, 3)

    if exchange.broken_by is not None:
        line["brokenBy"] = exchange.broken_by

    return line | exchange.notes


def _short(text: str) -> str:
    """Cut what callers write: a line must cost neither much room nor much time."""
    return text[:LONGEST_FIELD]
