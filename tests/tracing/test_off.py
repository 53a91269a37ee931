"""Without a collector nothing of OpenTelemetry is loaded; the first process never loads it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import finished
from tests.sidecar import ROOT, bare_environ

STREAM = {"STREAM_API_KEY": "k", "STREAM_API_SECRET": "s" * 40, "PYTHONPATH": str(ROOT)}
TO = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
LOADED = "print(sorted(m for m in sys.modules if m.partition('.')[0] == 'opentelemetry'))"
APP = "from chatproxy.app import create_app; app = create_app(); "


def run(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = bare_environ() | STREAM | environ
    done = finished([sys.executable, "-c", f"import sys; {code}"], given)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_SERVICE_NAME": "x", "OTEL_PROPAGATORS": "b3", "OTEL_EXPORTER_OTLP_HEADERS": "a=b"},
        TO | {"OTEL_SDK_DISABLED": "true"},
        TO | {"OTEL_TRACES_EXPORTER": "none"},
        TO | {"OTEL_TRACES_EXPORTER": "console"},
        TO | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4317"},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:9"},
    ],
    ids=lambda environ: ",".join(environ) or "nothing",
)
def test_a_worker_without_a_collector_loads_nothing(environ: dict[str, str]) -> None:
    assert run(APP + LOADED, **environ).stdout.strip() == "[]"


def test_a_worker_with_one_loads_what_it_needs() -> None:
    assert "opentelemetry.sdk.trace" in run(APP + LOADED, **TO).stdout


def test_the_first_process_loads_nothing_of_it() -> None:
    assert run("import chatproxy.gunicorn_conf; " + LOADED, **TO).stdout.strip() == "[]"


def test_without_the_extra_the_start_says_so_and_goes_on(tmp_path: Path) -> None:
    """As if it were not installed: a folder in front of it that has none of it."""
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("")
    warn = (
        "from chatproxy import gunicorn_conf as c; print(*c._settings.warnings(), sep='\\n'); "
        + APP
        + LOADED
    )
    done = run(warn, **TO, PYTHONPATH=f"{tmp_path}:{ROOT}")
    *warnings, loaded = done.stdout.splitlines()

    assert [one for one in warnings if "otel" in one.lower()] == [
        "OTEL_EXPORTER_OTLP_ENDPOINT is set and the extra `otel` is missing "
        "(pip install 'chatproxy[otel]'): no spans are sent"
    ]
    assert loaded == "[]"
