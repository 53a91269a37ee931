"""The routes below /api: who may call, a client's flow, the probes."""

import json
import time
from typing import Any

import pytest

from sandbox import ChatSDKSandbox
from sandbox.chatsdk import CENTRIFUGO_SECRET
from tests.sandbox.chatsdk.chat import KEY, OTHER_SECRET, Chat, bearer, token

CHANNELS = "/api/channels"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["X-None: "], "Missing API key"),
        (["X-API-Key: wrong"], "Invalid API key"),
        ([bearer(token())], "Missing API key"),
        ([KEY, bearer(token(exp=int(time.time()) - 1))], "Token expired"),
        ([KEY, bearer(token(OTHER_SECRET))], "Invalid token"),
        ([KEY, bearer(token(CENTRIFUGO_SECRET, sub="ann"))], "Invalid token"),
        ([KEY, bearer(token(user_id=None))], "Invalid token"),
        ([KEY, bearer(token(exp=None))], "Invalid token"),
        ([KEY, bearer(token(algorithm="HS384"))], "Invalid token"),
        ([KEY, bearer("")], "Invalid token"),
        ([KEY, f"Authorization: {token()}"], "Invalid token"),
        ([KEY, bearer(token(app_id="other"))], "Token app mismatch"),
        ([KEY], "User authentication required"),
    ],
)
def test_who_may_not_call_is_told_why(chat: Chat, lines: list[str], message: str) -> None:
    status, told = chat.call("GET", CHANNELS, None, *lines)
    assert (status, told) == (401, {"error": {"message": message, "code": "UNAUTHORIZED"}})


def test_a_client_opens_a_channel_writes_and_reads(chat: Chat) -> None:
    chat.call("POST", "/tokens", {"userId": "ann", "name": "Ann"})
    status, channel = chat.as_user("ann", "POST", CHANNELS, {"memberIds": ["bob"]})
    messages = f"{CHANNELS}/{channel['id']}/messages"
    assert (status, channel["cid"], channel["role"]) == (201, "messaging:ann-bob", "owner")

    status, sent = chat.as_user("ann", "POST", messages, {"text": "hi"})
    assert (status, sent["seq"], sent["user"]["name"]) == (201, 1, "Ann")
    assert chat.as_user("bob", "GET", messages)[1]["messages"] == [sent]

    _, listed = chat.as_user("bob", "GET", CHANNELS)
    assert [(one["id"], one["messageCount"]) for one in listed["channels"]] == [(channel["id"], 1)]
    _, shown = chat.as_user("bob", "GET", f"{CHANNELS}/{channel['id']}")
    assert [member["userId"] for member in shown["members"]] == ["bob", "ann"]


def test_the_same_direct_channel_is_pointed_to(chat: Chat) -> None:
    _, channel = chat.as_user("ann", "POST", CHANNELS, {"memberIds": ["bob"]})
    asked = [KEY, bearer(token(user_id="bob"))]
    answer = chat.see("POST", CHANNELS, {"memberIds": ["ann"]}, *asked)

    assert (answer.status, answer.header("location")) == (303, f"{CHANNELS}/{channel['id']}")


def test_a_message_sent_again_is_kept_once(chat: Chat) -> None:
    _, channel = chat.as_user("ann", "POST", CHANNELS, {"type": "group"})
    messages, sent = f"{CHANNELS}/{channel['id']}/messages", {"text": "hi", "clientMsgId": "m"}
    assert chat.as_user("ann", "POST", messages, sent)[0] == 201

    again = {"id": "m", "seq": 1, "status": "sent", "duplicate": True}
    assert chat.as_user("ann", "POST", messages, sent) == (200, again)


@pytest.mark.parametrize(
    ("kind", "listed"), [("group", False), ("private", False), ("team", True), ("public", True)]
)
def test_strangers_read_nothing_and_find_open_channels(chat: Chat, kind: str, listed: bool) -> None:
    _, channel = chat.as_user("ann", "POST", CHANNELS, {"type": kind})

    assert chat.as_user("eve", "GET", f"{CHANNELS}/{channel['id']}/messages")[0] == 403
    assert bool(chat.as_user("eve", "GET", CHANNELS)[1]["channels"]) is listed


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({}, "memberIds"),
        ({"memberIds": ["bob", "cy"]}, "memberIds"),
        ({"memberIds": [7]}, "memberIds"),
        ({"memberIds": "bob"}, "memberIds"),
        ({"type": "secret"}, "type"),
        ({"type": "group", "image": ""}, "image"),
    ],
)
def test_a_bad_channel_is_refused(chat: Chat, document: Any, path: str) -> None:
    status, told = chat.as_user("ann", "POST", CHANNELS, document)
    assert (status, told["error"]["issues"][0]["path"]) == (400, [path])


@pytest.mark.parametrize("text", ["", "x" * 10_001, None, 7])
def test_a_bad_message_is_refused(chat: Chat, text: Any) -> None:
    _, channel = chat.as_user("ann", "POST", CHANNELS, {"type": "group"})
    messages = f"{CHANNELS}/{channel['id']}/messages"
    assert chat.as_user("ann", "POST", messages, {"text": text})[0] == 400


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/nothing"),
        ("GET", "/api"),
        ("DELETE", CHANNELS),
        ("GET", f"{CHANNELS}/"),
        ("GET", "/tokens"),
        ("GET", "/health/"),
        ("GET", "/api/tokens/validate"),
        ("POST", "/api/users/ann/revoke-tokens"),
        ("GET", "/_sandbox/nothing"),
        ("GET", "/api/_sandbox/control/journal"),
    ],
)
def test_what_is_not_there_is_404(chat: Chat, method: str, target: str) -> None:
    assert chat.call(method, target) == (
        404,
        {"error": {"message": "Not Found", "code": "NOT_FOUND"}},
    )


def test_health_needs_no_key(chat: Chat) -> None:
    status, told = chat.call("GET", "/health", None, "X-None: ")
    assert (status, told["status"]) == (200, "ok")


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_the_probes_are_behind_the_key(chat: Chat, prefix: str) -> None:
    target = f"{prefix}/_sandbox/echo?a=%20"
    status, told = chat.call("POST", target, b"hello")

    assert (status, told["size"], told["target"]) == (200, 5, target)
    assert chat.call("GET", target, None, "X-None: ")[0] == 401
    assert chat.call("GET", f"{prefix}/_sandbox/bytes?size=x")[0] == 400


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "BAD_REQUEST"), (429, "RATE_LIMITED"), (500, "INTERNAL_ERROR"), (503, "ERROR")],
)
def test_faults_come_in_the_vendors_shape(
    chat: Chat, chatsdk: ChatSDKSandbox, status: int, code: str
) -> None:
    chatsdk.faults.next(f"status={status}", path="/api/*")
    answer = chat.see("GET", CHANNELS, None, KEY)

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)
    assert answer.header("retry-after") == ("1" if status == 429 else None)


def test_what_arrived_is_journaled(chat: Chat, chatsdk: ChatSDKSandbox) -> None:
    chat.as_user("ann", "POST", CHANNELS, {"type": "group"})

    (entry,) = chatsdk.journal
    assert (entry.target, entry.body, entry.status) == (CHANNELS, b'{"type": "group"}', 201)
    assert chat.call("GET", "/_sandbox/control/journal")[1]["entries"][0]["target"] == CHANNELS
