"""A stand-in of its own for each test, and a client for it."""

from collections.abc import Iterator

import pytest

from sandbox import StreamSandbox
from tests.sandbox.client import Client


@pytest.fixture
def stand_in() -> Iterator[StreamSandbox]:
    with StreamSandbox() as running:
        yield running


@pytest.fixture
def client(stand_in: StreamSandbox) -> Client:
    return Client(stand_in)


@pytest.fixture
def room(client: Client) -> str:
    """The path of a channel with two members."""
    client.call("POST", "/users", {"users": {"ann": {"id": "ann"}, "bob": {"id": "bob"}}})
    data = {"created_by_id": "ann", "members": ["ann", "bob"]}
    answer = client.call("POST", "/channels/messaging/room/query", {"data": data})
    assert answer.status == 201
    return "/channels/messaging/room"
