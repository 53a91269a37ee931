"""Sending spans to a collector, by OTLP over HTTP, in a greenlet of its own.

A request only puts its spans into a queue, from which the SDK takes them. Where the collector is
away the queue fills up and spans are dropped; no request waits.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from chatproxy import __version__
from chatproxy.logs.levels import SILENT

log = logging.getLogger(__name__)

#: What the SDK calls a service that nobody has named.
UNKNOWN = "unknown_service"

#: OpenTelemetry's loggers that repeat what callers send or how the collector is reached, with its
#: credentials, or that write several lines for each batch that is lost.
SILENCED = ("baggage", "trace", "attributes", "util", "exporter")

#: Seconds between two lines that say that spans cannot be sent.
SAID_EVERY = 300.0

#: Seconds in which a worker that ends sends what is left.
FLUSHED_WITHIN = 2.0


class Exporter(SpanExporter):
    """Sends spans by the SDK's exporter, and says once in a while how many it could not send."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._session = Session()
        self._inner = OTLPSpanExporter(session=self._session)
        self._monotonic = monotonic
        self._lost = 0
        self._said_at: float | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send some spans. Takes up to `OTEL_EXPORTER_OTLP_TIMEOUT`, with its retries."""
        result = self._inner.export(spans)

        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            self._say()
        elif self._said_at is not None:
            log.info("spans reach the collector again", extra={"lostSpans": self._lost})
            self._lost, self._said_at = 0, None

        return result

    def _say(self) -> None:
        now = self._monotonic()

        if self._said_at is None or now >= self._said_at + SAID_EVERY:
            self._said_at = now
            fields = {"lostSpans": self._lost, "reason": self._session.outcome}
            log.warning("spans do not reach the collector", extra=fields)

    def shutdown(self) -> None:
        """End a wait between two attempts, and close the connection."""
        self._inner.shutdown()  # type: ignore[no-untyped-call]


class Session(requests.Session):
    """The way to the collector. `outcome` says what came of the last attempt."""

    def __init__(self) -> None:
        super().__init__()
        # Like every session here it takes neither a proxy nor a password from the environment.
        self.trust_env = False
        self.outcome = ""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Make one attempt."""
        try:
            response = super().send(request, **options)
        except Exception as error:
            # Without its text, which has the URL: that may hold a credential.
            self.outcome = type(error).__name__
            raise

        self.outcome = f"it answered {response.status_code}"
        return response


def open_provider(monotonic: Callable[[], float], batch: int | None) -> TracerProvider:
    """Make what makes spans, and sends `batch` at once. The SDK reads everything else by itself."""
    for name in SILENCED:
        logging.getLogger(f"opentelemetry.{name}").setLevel(SILENT)

    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    exporter = Exporter(monotonic)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=batch))
    return provider


def close(provider: TracerProvider) -> None:
    """Send what is left, within bounds."""
    # The SDK's own limit is 30 seconds, more than a pod has.
    closing = threading.Thread(target=provider.shutdown, daemon=True)
    closing.start()
    closing.join(FLUSHED_WITHIN)

    if closing.is_alive():
        log.warning("the last spans did not reach the collector in time")


def _resource() -> Resource:
    found = Resource.create()
    attributes = {SERVICE_VERSION: __version__, **found.attributes}

    if str(attributes[SERVICE_NAME]).startswith(UNKNOWN):
        attributes[SERVICE_NAME] = "chatproxy"

    return Resource(attributes, found.schema_url)
