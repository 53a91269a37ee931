"""A stand-in of its own for each test, and a caller of it."""

from collections.abc import Iterator

import pytest

from sandbox.imkit import IMKitSandbox
from tests.sandbox.imkit.caller import Caller


@pytest.fixture
def imkit() -> Iterator[IMKitSandbox]:
    with IMKitSandbox() as running:
        yield running


@pytest.fixture
def caller(imkit: IMKitSandbox) -> Caller:
    return Caller(imkit)
