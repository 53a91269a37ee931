"""A stand-in of its own for each test, and a client for it."""

from collections.abc import Iterator

import pytest

from tests.sandbox.chatsdk.chat import Chat
from tests.upstream import ChatSDKUpstream


@pytest.fixture
def chat() -> Iterator[Chat]:
    with ChatSDKUpstream() as stand_in:
        yield Chat(stand_in)
