"""A sidecar with the console, and an application with it in this process."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.clock import Clock
from chatproxy.metrics import series
from chatproxy.metrics.segments import Segment
from chatproxy.providers import SETTINGS
from tests.sidecar import Sidecar, free_port
from tests.upstream import StreamUpstream

STREAM = {
    "STREAM_API_KEY": "key-of-the-company",
    "STREAM_API_SECRET": "secret-of-the-company-32-bytes-or-more",
    "STREAM_BASE_URL": "http://127.0.0.1:1",
}


@pytest.fixture
def segment(monkeypatch: pytest.MonkeyPatch) -> Segment:
    """Where this process counts meanwhile."""
    made = Segment()
    monkeypatch.setattr(series, "_store", None)
    series.count_in(made)
    return made


@pytest.fixture
def made(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Flask]:  # noqa: ARG001
    """Make an application with the console from variables, which are the environment then."""

    def make(clock: Clock | None = None, **variables: Any) -> Flask:
        environ = STREAM | {"CONSOLE": "true"} | variables

        for name, text in environ.items():
            monkeypatch.setenv(name, text)

        return create_app(settings.load(SETTINGS, environ), clock)

    return make


@pytest.fixture(scope="package")
def shared(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> Iterator[tuple[Sidecar, int]]:
    """A sidecar of two workers, and its status port."""
    status = free_port()

    with sidecar_before(
        upstream.url,
        CONSOLE="true",
        WORKERS="2",
        STATUS_PORT=str(status),
    ) as running:
        yield running, status
