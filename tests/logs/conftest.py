"""Each test begins outside of any request."""

import pytest

from chatproxy.logs import correlation


@pytest.fixture(autouse=True)
def _outside() -> None:
    """An application in this process leaves its last request's ids, as a worker's greenlet does."""
    correlation.end()
