"""The two versions of the interface, and the errors that callers really meet."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.client import CREDENTIALS, Client, with_key

MESSAGE = {"id": "m", "text": "hi", "user_id": "ann"}


def test_version_1_mixes_own_fields_in_and_writes_iso_times(client: Client) -> None:
    told = client.call("POST", "/users", {"users": {"ann": {"id": "ann", "shoe": 41}}})

    user = told["users"]["ann"]
    assert (user["shoe"], "custom" in user) == (41, False)
    assert user["created_at"].endswith("Z")
    assert abs(datetime.fromisoformat(user["created_at"]).timestamp() - time.time()) < 60


def test_version_2_keeps_own_fields_apart_and_writes_nanoseconds(client: Client) -> None:
    wanted = {"users": {"ann": {"id": "ann", "custom": {"shoe": 41}}}}
    told = client.call("POST", "/api/v2/users", wanted)

    user = told["users"]["ann"]
    assert user["custom"] == {"shoe": 41}
    assert isinstance(user["created_at"], int)
    assert abs(user["created_at"] / 1e9 - time.time()) < 60


def test_both_versions_see_the_same(client: Client, room: str) -> None:
    client.call("POST", f"{room}/message", {"message": {**MESSAGE, "mood": "fine"}})

    one = client.call("GET", "/messages/m")["message"]
    two = client.call("GET", "/api/v2/chat/messages/m")["message"]
    assert one["mood"] == two["custom"]["mood"] == "fine"
    moment = datetime.fromtimestamp(two["created_at"] / 1e9, UTC)
    assert abs(datetime.fromisoformat(one["created_at"]) - moment).total_seconds() < 1e-3


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/nothing"),
        ("GET", "//app"),
        ("GET", "/app/"),
        ("PUT", "/app"),
        ("GET", "/api/v2/chat/app"),
        ("POST", "/api/v2/channels"),
        ("GET", "/api/v1/app"),
        ("GET", "/messages/none"),
        ("DELETE", "/channels/messaging/none"),
    ],
)
def test_what_is_not_there_is_code_16(client: Client, method: str, target: str) -> None:
    assert client.call(method, target).refusal == (404, 16)


@pytest.mark.parametrize(("method", "status"), [("POST", 201), ("GET", 200), ("PATCH", 200)])
def test_what_is_posted_is_created(client: Client, method: str, status: int) -> None:
    users = {"users": {"ann": {"id": "ann"}}} if method == "POST" else {"users": []}
    assert client.call(method, "/users", users).status == status


@pytest.mark.parametrize("prefix", ["", "/api/v2/chat"])
def test_a_server_must_say_who_creates_a_channel(client: Client, prefix: str) -> None:
    told = client.call("POST", f"{prefix}/channels/messaging/x/query", {"data": {}})

    assert told.refusal == (400, 4)
    assert "created_by" in told["message"]
    assert told["exception_fields"]


@pytest.mark.parametrize("prefix", ["", "/api/v2/chat"])
def test_a_message_id_can_be_used_once(client: Client, room: str, prefix: str) -> None:
    assert client.call("POST", f"{prefix}{room}/message", {"message": MESSAGE}).status == 201
    told = client.call("POST", f"{prefix}{room}/message", {"message": MESSAGE})

    assert told.refusal == (400, 4)
    assert "already exists" in told["message"]


@pytest.mark.parametrize(("length", "status"), [(5_000, 201), (5_001, 400)])
def test_a_message_has_5000_characters_at_most(
    client: Client, room: str, length: int, status: int
) -> None:
    message = {**MESSAGE, "text": "é" * length}
    told = client.call("POST", f"{room}/message", {"message": message})

    assert told.status == status
    assert status == 201 or told.refusal == (400, 20)


def test_getting_or_creating_twice_is_the_same_channel(client: Client, room: str) -> None:
    told = client.call("POST", f"{room}/query", {})
    assert (told.status, told["channel"]["created_by"]["id"]) == (201, "ann")


@pytest.mark.parametrize(
    ("target", "document"),
    [
        ("/users", {"users": {"ann": {"id": "bob"}}}),
        ("/users", {"users": {}}),
        ("/users", {"users": {"a b": {"id": "a b"}}}),
        ("/users", {"users": [1]}),
        ("/users", {"users": {"ann": {"id": "ann", "blob": "x" * 6_000}}}),
        ("/users/delete", {"user_ids": ["nobody"]}),
        ("/channels", {"limit": 31}),
        ("/channels", {"filter_conditions": {"cid": {"$like": "x"}}}),
        ("/channels/unknown/x/query", {"data": {"created_by_id": "ann"}}),
        ("/channels/messaging/a%2Fb/query", {"data": {"created_by_id": "ann"}}),
        ("/channels/messaging/x/query", {"data": {"created_by_id": "nobody"}}),
        ("/channels/messaging/room/message", {"message": {"text": "hi"}}),
        ("/channels/messaging/room/message", {"message": {"text": "", "user_id": "ann"}}),
        ("/channels/messaging/room/message", {"message": {"text": 5, "user_id": "ann"}}),
        ("/channels/messaging/room/message", {}),
        ("/moderation/ban", {"target_user_id": "bob"}),
    ],
)
def test_bad_input_is_code_4(client: Client, room: str, target: str, document: Any) -> None:
    assert client.call("POST", target, document).refusal == (400, 4)


@pytest.mark.parametrize(
    "body",
    [b"junk", b"[]", b'"text"', b"\xff", b"[" * 100_000, b'{"users": ' + b"[" * 50_000],
)
def test_junk_is_code_4_and_never_breaks_the_stand_in(client: Client, body: bytes) -> None:
    assert client.send("POST", with_key("/users"), body, CREDENTIALS).refusal == (400, 4)


def test_half_a_surrogate_pair_is_survived(client: Client) -> None:
    body = b'{"users": {"ann": {"id": "ann", "name": "\\ud800"}}}'
    assert client.send("POST", with_key("/users"), body, CREDENTIALS)["users"]["ann"]["name"] == "?"


@pytest.mark.parametrize("payload", ["junk", "[1]", "5", '{"limit":"x"}', '{"limit":101}'])
def test_a_bad_payload_is_code_4(client: Client, payload: str) -> None:
    assert client.call("GET", f"/users?payload={payload}").refusal == (400, 4)
