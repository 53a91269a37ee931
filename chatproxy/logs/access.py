"""The two lines that a request leaves in the log, in the platform's shape."""

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatproxy.forwarding.target import AUTHORITY
from chatproxy.logs import TRACE

if TYPE_CHECKING:
    from chatproxy.web.context import RequestContext

PORT = re.compile(r":[0-9]+\Z")

log = logging.getLogger("chatproxy.request")

#: Characters that a caller's text may take in a line.
LONGEST_FIELD = 256
LONGEST_PATH = 2048

#: Probes come every few seconds; only their failures are worth a line.
STATUS_PREFIX = "/-/"


def write_incoming(context: "RequestContext", environ: Mapping[str, Any]) -> None:
    """Write that a request came, at trace."""
    if log.isEnabledFor(TRACE):
        log.log(TRACE, "incoming request", extra=_incoming(context, environ))


def write(context: "RequestContext", environ: Mapping[str, Any]) -> None:
    """Write that a request is over; of a probe only where it failed."""
    if context.target.path.startswith(STATUS_PREFIX):
        if context.status >= 500:
            log.error("request completed", extra=_completed(context, environ))
    elif log.isEnabledFor(logging.INFO):
        log.info("request completed", extra=_completed(context, environ))


def _incoming(context: "RequestContext", environ: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of both lines.

    The query is left out: it can hold names and texts of people.
    """
    return {
        "reqId": context.id,
        "http": {
            "request": {
                "method": environ["REQUEST_METHOD"],
                "userAgent": {"original": _short(environ.get("HTTP_USER_AGENT", ""))},
            }
        },
        "url": {"path": context.target.path[:LONGEST_PATH]},
        "host": {
            "hostname": _host(environ),
            "forwardedHost": _short(environ.get("HTTP_X_FORWARDED_HOST", "")),
            "ip": _short(environ.get("HTTP_X_FORWARDED_FOR") or environ.get("REMOTE_ADDR", "")),
        },
    }


def _completed(context: "RequestContext", environ: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the completed line. Times are in milliseconds."""
    line = _incoming(context, environ)
    received = context.body.received if context.body is not None else 0
    line["http"]["request"]["body"] = {"bytes": received}
    line["http"]["response"] = {"statusCode": context.status, "body": {"bytes": context.sent}}
    line["responseTime"] = round(context.seconds() * 1000, 3)

    if context.first_byte is not None:
        line["timeToFirstByte"] = round(context.first_byte * 1000, 3)

    if context.broken_by is not None:
        line["brokenBy"] = context.broken_by

    return line | context.notes


def _short(text: str) -> str:
    """Cut what callers write: a line must cost neither much room nor much time."""
    return text[:LONGEST_FIELD]


def _host(environ: Mapping[str, Any]) -> str:
    """Return the host without its port; nothing where it is no host, but perhaps a password."""
    host = environ.get("HTTP_HOST", "")
    return PORT.sub("", host) if AUTHORITY.fullmatch(host) else ""
