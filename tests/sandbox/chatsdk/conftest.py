"""A stand-in of its own for each test, and a client for it."""

from collections.abc import Iterator

import pytest

from tests.sandbox.chatsdk.chat import Chat
from tests.upstream import ChatSDKUpstream


@pytest.fixture
def chatsdk() -> Iterator[ChatSDKUpstream]:
    with ChatSDKUpstream() as running:
        yield running


@pytest.fixture
def chat(chatsdk: ChatSDKUpstream) -> Chat:
    return Chat(chatsdk)
