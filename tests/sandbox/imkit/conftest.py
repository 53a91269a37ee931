"""A stand-in of its own for each test, and a caller of it."""

from collections.abc import Iterator

import pytest

from tests.sandbox.imkit.caller import Caller
from tests.upstream import IMKitUpstream


@pytest.fixture
def imkit() -> Iterator[IMKitUpstream]:
    with IMKitUpstream() as running:
        yield running


@pytest.fixture
def caller(imkit: IMKitUpstream) -> Caller:
    return Caller(imkit)
