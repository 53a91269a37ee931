"""Tracing with OpenTelemetry (extra `otel`): a span for each request, and for the call it forwards.

| file | what |
|---|---|
| `spans` | beginning and ending them, and what they say |
| `export` | sending them to a collector, beside the requests |

Both load OpenTelemetry, so they are imported where spans are sent, and nowhere else.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from chatproxy.settings.tracing import TracingSettings

if TYPE_CHECKING:
    from chatproxy.tracing.spans import Tracing

log = logging.getLogger(__name__)


def open_tracing(settings: TracingSettings, monotonic: Callable[[], float]) -> "Tracing | None":
    """Begin to send spans, if the settings say so. To be called in a worker."""
    if not settings.is_on:
        return None

    try:
        from chatproxy.tracing.export import open_provider
        from chatproxy.tracing.spans import Tracing

        return Tracing(open_provider(monotonic, settings.batch))
    except Exception as error:  # noqa: BLE001 - a variable of the platform's must not end a worker
        log.error(  # noqa: TRY400 - a traceback may show a credential of the collector's
            "spans are not sent: OpenTelemetry cannot use its variables",
            extra={"error": {"type": type(error).__name__, "message": str(error)}},
        )
        return None
