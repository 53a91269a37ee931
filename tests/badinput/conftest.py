"""What every file here has to show besides its own cases."""

from collections.abc import Iterator

import pytest

from tests.sidecar import Sidecar


@pytest.fixture(scope="module", autouse=True)
def _no_worker_exits(sidecar: Sidecar) -> Iterator[None]:
    """No input of a whole file costs a worker its life."""
    before = sidecar.workers()
    yield
    assert sidecar.workers() == before
