"""An application for each test."""

from collections.abc import Iterator

import pytest

from tests.providers.stream.permissions.applications import ApplicationUpstream, application


@pytest.fixture
def stream() -> Iterator[ApplicationUpstream]:
    with application() as running:
        yield running
