"""Whether spans are sent, by the standard variables of OpenTelemetry alone.

Only that is decided here, in the first process and without loading anything. The SDK reads all else
from the environment by itself, in each worker, as its specification says.

Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import dataclasses
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: The variables that are about traces; the first of each pair counts where both are set.
ENDPOINT = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOL = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
EXPORTER = "OTEL_TRACES_EXPORTER"
DISABLED = "OTEL_SDK_DISABLED"
BATCHES = ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_MAX_QUEUE_SIZE")

#: Spans that are sent at once. Encoding the SDK's 512 would hold a worker's requests up for 30 ms.
BATCH = 128

#: Those that matter here, among which a slip is looked for.
NAMES = (
    *ENDPOINT,
    *PROTOCOL,
    *HEADERS,
    EXPORTER,
    DISABLED,
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_PROPAGATORS",
)

SENT_BY = "http/protobuf"

#: Where the extra's exporter lies below OpenTelemetry's own folder.
EXPORTER_FOLDER = Path("exporter", "otlp", "proto", "http")


@dataclasses.dataclass(frozen=True)
class TracingSettings:
    """Whether spans are sent. `secrets` are the values of the fields that go with them.

    `warning` says why none are sent, though somebody wants them to be. `batch` is how many are sent
    at once; None leaves that to the SDK and its variables.
    """

    is_on: bool = False
    warning: str = ""
    batch: int | None = None
    secrets: tuple[str, ...] = dataclasses.field(default=(), repr=False)


def read_tracing(environ: Mapping[str, str]) -> TracingSettings:
    """Return what the standard variables say. None of them stops a start."""
    # A platform often sets them for all that it runs.
    endpoint = next((name for name in ENDPOINT if environ.get(name, "").strip()), None)

    if endpoint is None or environ.get(DISABLED, "").strip().lower() == "true":
        return TracingSettings()

    exporters = [one.strip() for one in environ.get(EXPORTER, "").split(",") if one.strip()]

    if exporters == ["none"]:
        return TracingSettings()

    secrets = tuple(_secrets(environ, environ[endpoint]))

    if fault := _fault(environ, endpoint, exporters):
        return TracingSettings(warning=f"{fault}: no spans are sent", secrets=secrets)

    batch = None if any(environ.get(name) for name in BATCHES) else BATCH
    return TracingSettings(is_on=True, batch=batch, secrets=secrets)


def _fault(environ: Mapping[str, str], endpoint: str, exporters: list[str]) -> str:
    protocol = next((name for name in PROTOCOL if environ.get(name, "").strip()), None)

    if not _is_url(environ[endpoint].strip()):
        return f"{endpoint} is not an http or https URL"

    if exporters and "otlp" not in exporters:
        return f"{EXPORTER} has no otlp in it, which is all that chatproxy exports to"

    if protocol is not None and environ[protocol].strip() != SENT_BY:
        return f"{protocol} is not {SENT_BY}, which is all that chatproxy speaks"

    if not _is_installed():
        return f"{endpoint} is set and the extra `otel` is missing (pip install 'chatproxy[otel]')"

    return ""


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def _is_installed() -> bool:
    # Looked for, not imported: importing one of its modules would import those above it.
    found = importlib.util.find_spec("opentelemetry")
    folders = () if found is None else found.submodule_search_locations or ()
    return any((Path(one) / EXPORTER_FOLDER).is_dir() for one in folders)


def _secrets(environ: Mapping[str, str], endpoint: str) -> Iterator[str]:
    for name in HEADERS:
        for pair in environ.get(name, "").split(","):
            value = pair.partition("=")[2].strip()
            # Behind `Bearer` or `Basic` as well.
            yield from (value, unquote(value), unquote(value).rpartition(" ")[2])

    user, at, _ = endpoint.partition("://")[2].partition("/")[0].rpartition("@")

    if at:
        yield from (user, *(unquote(one) for one in user.split(":")[1:]))
