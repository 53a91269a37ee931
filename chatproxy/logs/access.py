"""The two log lines of a request, in the platform's format."""

import logging
import re
from collections.abc import Mapping
from typing import Any, Protocol

from chatproxy.errors import Side
from chatproxy.formats.authority import AUTHORITY
from chatproxy.logs.levels import TRACE

log = logging.getLogger("chatproxy.request")

#: Characters of a caller's text in a line. Longer ones cost room, and time for the redaction.
LONGEST_FIELD = 256
LONGEST_PATH = 2048

PORT = re.compile(r":[0-9]+\Z")

#: Probes come every few seconds; only their failures are worth a line.
STATUS_PREFIX = "/-/"


class Exchange(Protocol):
    """What the lines say of one request and its answer. Times are in seconds."""

    called_by: str
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
        """Return the seconds since the request began."""
        ...


def write_incoming(exchange: Exchange, environ: Mapping[str, Any]) -> None:
    """Log a request's arrival, at trace."""
    if log.isEnabledFor(TRACE):
        log.log(TRACE, "incoming request", extra=_incoming(exchange, environ))


def write(exchange: Exchange, environ: Mapping[str, Any]) -> None:
    """Log a request's end; that of a probe only if it failed or was refused."""
    if exchange.path.startswith(STATUS_PREFIX) and exchange.status < 400:
        return

    # No error: each stop has some.
    if exchange.path.startswith(STATUS_PREFIX) and exchange.status >= 500:
        log.warning("request completed", extra=_completed(exchange, environ))
    elif log.isEnabledFor(logging.INFO):
        log.info("request completed", extra=_completed(exchange, environ))


def _incoming(exchange: Exchange, environ: Mapping[str, Any]) -> dict[str, Any]:
    # Without the query, which can hold people's names and what they write.
    return {
        "http": {
            "request": {
                "method": environ["REQUEST_METHOD"],
                "userAgent": {"original": _truncated(environ.get("HTTP_USER_AGENT", ""))},
            }
        },
        "url": {"path": exchange.path[:LONGEST_PATH]},
        "host": {
            "hostname": _host(environ.get("HTTP_HOST", "")),
            "forwardedHost": _truncated(environ.get("HTTP_X_FORWARDED_HOST", "")),
            "ip": _truncated(environ.get("HTTP_X_FORWARDED_FOR") or environ.get("REMOTE_ADDR", "")),
            # Any caller can write the field above; this is who was at the other end.
            "peer": environ.get("REMOTE_ADDR", ""),
        },
    }


def _completed(exchange: Exchange, environ: Mapping[str, Any]) -> dict[str, Any]:
    # The platform's times are in milliseconds.
    line = _incoming(exchange, environ)
    line["http"]["request"]["body"] = {"bytes": exchange.received}
    line["http"]["response"] = {"statusCode": exchange.status, "body": {"bytes": exchange.sent}}
    line["responseTime"] = round(exchange.seconds() * 1000, 3)

    if exchange.called_by:
        line["caller"] = exchange.called_by

    if exchange.first_byte is not None:
        line["timeToFirstByte"] = round(exchange.first_byte * 1000, 3)

    if exchange.broken_by is not None:
        line["brokenBy"] = exchange.broken_by

    return line | exchange.notes


def _truncated(text: str) -> str:
    return text[:LONGEST_FIELD]


def _host(field: str) -> str:
    # Without its port; nothing where it is malformed, and may hold a password.
    return PORT.sub("", field) if AUTHORITY.fullmatch(field) else ""
