"""A sidecar with every provider on, for what has to hold on all routes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.badinput.canned import CannedUpstream
from tests.everything import everything, recorder
from tests.sidecar import Sidecar


@pytest.fixture(scope="session")
def provider() -> Iterator[CannedUpstream]:
    """The one server behind all providers."""
    with recorder() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def whole(
    provider: CannedUpstream, output_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sidecar]:
    """Every provider is on, and every door is where the service's is."""
    output, folder = output_folder / "whole.log", tmp_path_factory.mktemp("whole")

    with everything(provider.url, output, folder) as running:
        yield running
