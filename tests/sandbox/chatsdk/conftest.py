"""A stand-in of its own for each test, and a client for it."""

from collections.abc import Iterator

import pytest

from sandbox import ChatSDKSandbox
from tests.sandbox.chatsdk.chat import Chat


@pytest.fixture
def chatsdk() -> Iterator[ChatSDKSandbox]:
    with ChatSDKSandbox() as running:
        yield running


@pytest.fixture
def chat(chatsdk: ChatSDKSandbox) -> Chat:
    return Chat(chatsdk)
