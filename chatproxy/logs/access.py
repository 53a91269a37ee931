"""The two log lines of a request, in the platform's format."""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from chatproxy.errors import Side
from chatproxy.formats.authority import AUTHORITY
from chatproxy.logs.handler import alone_behind
from chatproxy.logs.json_lines import JsonFormatter, Text
from chatproxy.logs.levels import TRACE

log = logging.getLogger("chatproxy.request")

#: Characters of a caller's text in a line. Longer ones cost room, and time for the redaction.
LONGEST_FIELD = 256
LONGEST_PATH = 2048

COMPLETED = "request completed"

PORT = re.compile(r":[0-9]+\Z")

#: Probes come every few seconds; only their failures are worth a line.
STATUS_PREFIX = "/-/"

#: For whoever else listens. What goes to our own handler as well is searched for all secrets there.
OTHERS = JsonFormatter()


class Forwarded(NamedTuple):
    """What a line says of the call that was forwarded; `request_id` is the provider's own."""

    provider: str
    status: int
    seconds: float
    request_id: str = ""


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
        asked, where = _asked(environ, OTHERS), _where(exchange, environ, OTHERS)
        fields = f'"http": {{"request": {{{asked}}}}}, {where}'
        log.log(TRACE, "incoming request", extra=_parsed(fields))


def write(exchange: Exchange, environ: Mapping[str, Any]) -> None:
    """Log a request's end; that of a probe only if it failed or was refused."""
    level = logging.INFO

    if exchange.path.startswith(STATUS_PREFIX):
        if exchange.status < 400:
            return

        # No error: each stop has some.
        level = logging.WARNING if exchange.status >= 500 else level

    if not log.isEnabledFor(level):
        return

    # A record of each request costs more than the line.
    if (found := alone_behind(log, level)) is None:
        log.log(level, COMPLETED, extra=_parsed(_completed(exchange, environ, OTHERS)))
    else:
        handler, form = found
        handler.write(form.line(level, COMPLETED, _completed(exchange, environ, form)))


def _completed(exchange: Exchange, environ: Mapping[str, Any], form: JsonFormatter) -> str:
    request = f'{_asked(environ, form)}, "body": {{"bytes": {exchange.received}}}'
    response = f'"statusCode": {exchange.status}, "body": {{"bytes": {exchange.sent}}}'
    # The platform's times are in milliseconds.
    line = (
        f'"http": {{"request": {{{request}}}, "response": {{{response}}}}}, '
        f"{_where(exchange, environ, form)}, "
        f'"responseTime": {exchange.seconds() * 1000:.3f}'
    )

    if exchange.called_by:
        line += f', "caller": {form.text(exchange.called_by)}'

    if exchange.first_byte is not None:
        line += f', "timeToFirstByte": {exchange.first_byte * 1000:.3f}'

    if exchange.broken_by is not None:
        line += f', "brokenBy": {form.text(exchange.broken_by)}'

    for name, note in exchange.notes.items():
        line += ", " + (
            _forwarded(name, note, form) if type(note) is Forwarded else form.fields({name: note})
        )

    return line


def _asked(environ: Mapping[str, Any], form: JsonFormatter) -> str:
    agent = environ.get("HTTP_USER_AGENT", "")[:LONGEST_FIELD]
    return form.known(_method_and_agent, environ["REQUEST_METHOD"], agent)


def _method_and_agent(text: Text, method: str, agent: str) -> str:
    return f'"method": {text(method)}, "userAgent": {{"original": {text(agent)}}}'


def _where(exchange: Exchange, environ: Mapping[str, Any], form: JsonFormatter) -> str:
    # Without the query, which can hold people's names and what they write.
    get = environ.get
    called = get("HTTP_HOST", "")
    host = form.known(
        _host,
        # No name is longer (RFC 1035), and a part of one may be its password.
        called if len(called) <= LONGEST_FIELD else "",
        get("HTTP_X_FORWARDED_HOST", "")[:LONGEST_FIELD],
        get("HTTP_X_FORWARDED_FOR", "")[:LONGEST_FIELD],
        get("REMOTE_ADDR", ""),
    )
    return f'"url": {{"path": {form.text(exchange.path[:LONGEST_PATH])}}}, {host}'


def _host(text: Text, host: str, forwarded_host: str, forwarded_for: str, peer: str) -> str:
    # Without its port; nothing where it is malformed, and may hold a password.
    name = PORT.sub("", host) if AUTHORITY.fullmatch(host) else ""
    # Any caller can write the fields before it; `peer` is who was at the other end.
    return (
        f'"host": {{"hostname": {text(name)}, "forwardedHost": {text(forwarded_host)}, '
        f'"ip": {text(forwarded_for or peer)}, "peer": {text(peer)}}}'
    )


def _forwarded(name: str, call: Forwarded, form: JsonFormatter) -> str:
    theirs = f', "requestId": {form.text(call.request_id)}' if call.request_id else ""
    answer = form.known(_answer, call.provider, call.status)
    return f'"{name}": {{{answer}, "timeToHeaders": {call.seconds * 1000:.3f}{theirs}}}'


def _answer(text: Text, provider: str, status: int) -> str:
    return f'"provider": {text(provider)}, "statusCode": {status}'


def _parsed(fields: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(f"{{{fields}}}")
    return found
