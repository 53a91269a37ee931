"""Memory of its own for each test that counts in this process."""

import pytest

from chatproxy.metrics import series
from chatproxy.metrics.segments import Segment


@pytest.fixture
def segment(monkeypatch: pytest.MonkeyPatch) -> Segment:
    """Where this process counts meanwhile."""
    made = Segment()
    monkeypatch.setattr(series, "_store", None)
    series.count_in(made)
    return made
