"""The span of a request, and that of the call that it forwards.

Names and attributes are those of OpenTelemetry's conventions for HTTP, stable since 1.23; what they
have no name for begins with `chatproxy.`. There is no path in them, no query, no header and no text
of an error: those hold ids of users, and may hold secrets.

Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_span_id, format_trace_id
from opentelemetry.trace.propagation import set_span_in_context

from chatproxy import __version__
from chatproxy.tracing import export

Fields = list[tuple[str, str]]

METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)
SCHEMA = "https://opentelemetry.io/schemas/1.30.0"


class Tracing:
    """Makes spans. One for each worker."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("chatproxy", __version__, SCHEMA)
        self._propagator = propagate.get_global_textmap()
        self._onward = frozenset(name.lower() for name in self._propagator.fields)

    def begin(self, environ: Mapping[str, Any]) -> "RequestSpan":
        """Begin the span of a request, as a child of its caller's if that named one."""
        method = environ["REQUEST_METHOD"]
        known = method if method in METHODS else "_OTHER"
        parent = self._propagator.extract(environ, Context(), getter=_FIELDS)
        span = self._tracer.start_span(
            _name(known),
            parent,
            SpanKind.SERVER,
            {"http.request.method": known, "url.scheme": environ["wsgi.url_scheme"]},
        )
        return RequestSpan(self, span, set_span_in_context(span, parent), known)

    def begin_call(self, context: Context, method: str, attributes: Mapping[str, Any]) -> Span:
        """Begin the span of a call to a provider."""
        wanted = {"http.request.method": method, **attributes}
        return self._tracer.start_span(_name(method), context, SpanKind.CLIENT, wanted)

    def onward(self, fields: Iterable[tuple[str, str]], context: Context) -> Fields:
        """Return the fields with which a trace goes on, in place of the caller's own."""
        ours: dict[str, str] = {}
        self._propagator.inject(ours, context)
        kept = [pair for pair in fields if pair[0].lower() not in self._onward]
        return [*kept, *ours.items()]

    def close(self) -> None:
        """Send what is left."""
        export.close(self._provider)


class RequestSpan:
    """The span of one request."""

    __slots__ = ("_call", "_context", "_method", "_span", "_tracing")

    def __init__(self, tracing: Tracing, span: Span, context: Context, method: str) -> None:
        self._tracing = tracing
        self._span = span
        self._context = context
        self._method = method
        self._call: Span | None = None

    def ids(self) -> dict[str, str]:
        """Return the fields of the log's lines that lead to this span."""
        of = self._span.get_span_context()
        return {"traceId": format_trace_id(of.trace_id), "spanId": format_span_id(of.span_id)}

    def forward(self, fields: Fields, method: str, provider: str, host: str, port: int) -> Fields:
        """Begin the span of the forwarded call; return its fields, which name it as the caller."""
        where = {"server.address": host, "server.port": port, "chatproxy.provider": provider}
        self._call = self._tracing.begin_call(self._context, method, where)
        return self._tracing.onward(fields, set_span_in_context(self._call, self._context))

    def answered(self, status: int) -> None:
        """Note the provider's status."""
        if self._call is not None:
            self._call.set_attribute("http.response.status_code", status)

            if status >= 400:
                _fail(self._call, str(status))

    def end(
        self, status: int, broken_by: str | None, error: str, route: str, provider: str, caller: str
    ) -> None:
        """End it, and that of the call. Empty texts are left out."""
        span, call = self._span, self._call

        if span.is_recording():
            said: dict[str, str | int] = {
                "http.response.status_code": status,
                "http.route": route,
                "chatproxy.provider": provider,
                "chatproxy.caller": caller,
                "chatproxy.broken_by": broken_by or "",
            }
            span.set_attributes({name: value for name, value in said.items() if value})
            span.update_name(f"{_name(self._method)} {route}" if route else _name(self._method))

        if broken_by not in (None, "caller") or status >= 500:
            _fail(span, error or str(status))

        if call is not None:
            if broken_by in ("upstream", "proxy"):
                _fail(call, error)

            call.end()

        span.end()


class _Environ(Getter[Mapping[str, Any]]):
    """Reads fields as WSGI has them: several of one name are one, with commas."""

    def get(self, carrier: Mapping[str, Any], key: str) -> list[str] | None:
        value = carrier.get(f"HTTP_{key.upper().replace('-', '_')}")
        return None if value is None else [value]

    def keys(self, carrier: Mapping[str, Any]) -> list[str]:
        return [name[5:].replace("_", "-").lower() for name in carrier if name.startswith("HTTP_")]


_FIELDS = _Environ()


def _name(method: str) -> str:
    return "HTTP" if method == "_OTHER" else method


def _fail(span: Span, error: str) -> None:
    # Without a description: an error's text may be anything.
    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR))
