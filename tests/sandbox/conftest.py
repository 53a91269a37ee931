"""A stand-in of its own for each test, and a client for it."""

from collections.abc import Iterator

import pytest

from tests.sandbox.client import Client
from tests.upstream import StreamUpstream


@pytest.fixture
def stand_in() -> Iterator[StreamUpstream]:
    with StreamUpstream() as running:
        yield running


@pytest.fixture
def client(stand_in: StreamUpstream) -> Client:
    return Client(stand_in)


@pytest.fixture
def room(client: Client) -> str:
    """The path of a channel with two members."""
    client.call("POST", "/users", {"users": {"ann": {"id": "ann"}, "bob": {"id": "bob"}}})
    data = {"created_by_id": "ann", "members": ["ann", "bob"]}
    answer = client.call("POST", "/channels/messaging/room/query", {"data": data})
    assert answer.status == 201
    return "/channels/messaging/room"
