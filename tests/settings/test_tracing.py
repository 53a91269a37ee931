"""The standard variables of OpenTelemetry, as far as they say whether spans are sent."""

import pytest

from chatproxy import settings
from chatproxy.providers import SETTINGS
from chatproxy.settings.tracing import read_tracing

STREAM = {"STREAM_API_KEY": "k", "STREAM_API_SECRET": "s" * 40}
TO = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("environ", "is_on"),
    [
        ({}, False),
        (TO, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://a.example/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://collector:4318"}, False),
        (TO | {"OTEL_SDK_DISABLED": "true"}, False),
        (TO | {"OTEL_SDK_DISABLED": " TRUE "}, False),
        (TO | {"OTEL_SDK_DISABLED": "false"}, True),
        (TO | {"OTEL_SDK_DISABLED": "1"}, True),
        (TO | {"OTEL_TRACES_EXPORTER": "none"}, False),
        (TO | {"OTEL_TRACES_EXPORTER": "otlp"}, True),
        (TO | {"OTEL_TRACES_EXPORTER": "console, otlp"}, True),
        (TO | {"OTEL_TRACES_EXPORTER": ""}, True),
        (TO | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
        (
            TO
            | {
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            },
            True,
        ),
    ],
)
def test_spans_are_sent_where_the_variables_say_where(environ: dict[str, str], is_on: bool) -> None:
    found = read_tracing(environ)

    assert found.is_on is is_on
    assert found.warning == ""


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "grpc://collector"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:b:c"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        (
            TO | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "junk"},
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ),
        (TO | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        (TO | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        (TO | {"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER"),
    ],
)
def test_what_cannot_be_done_is_one_warning_and_no_problem(
    environ: dict[str, str], named: str
) -> None:
    found = settings.load(SETTINGS, STREAM | environ)
    (warning,) = [one for one in found.warnings() if "OTEL" in one]

    assert not found.tracing.is_on
    assert warning.startswith(f"{named} ")
    assert warning.endswith(": no spans are sent")


@pytest.mark.parametrize(
    ("name", "batch"),
    [
        ("OTEL_SERVICE_NAME", 128),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", None),
        ("OTEL_BSP_MAX_QUEUE_SIZE", None),
    ],
)
def test_few_are_sent_at_once_unless_somebody_says_how_many(name: str, batch: int | None) -> None:
    assert read_tracing(TO | {name: "64"}).batch == batch


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OLTP_ENDPOINT", "OTEL_SERVICENAME"])
def test_a_slip_in_a_name_is_warned_of(name: str) -> None:
    warnings = list(settings.load(SETTINGS, STREAM | {name: "x"}).warnings())

    assert any(one.startswith(f"{name} is set and nobody reads it") for one in warnings)


def test_the_collectors_credentials_are_secrets() -> None:
    found = settings.load(
        SETTINGS,
        STREAM
        | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://user:pass%2Fword@collector",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20first-key,x-team = second-key",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "api-key=third-key",
        },
    )

    assert {"first-key", "second-key", "third-key", "pass/word", "Bearer first-key"} <= set(
        found.secrets()
    )
    assert "key" not in repr(found.tracing)
