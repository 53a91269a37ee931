"""Who may call, the tokens that are given out, and channels."""

import json
import time
from typing import Any

import jwt
import pytest

from sandbox.chatsdk import APP_ID, CENTRIFUGO_SECRET, JWT_SECRET
from tests.sandbox.chatsdk.chat import DAY, KEY, OTHER_SECRET, Chat, bearer, token
from tests.upstream import ChatSDKUpstream
from tests.wire import ask, post

CHANNELS = "/api/channels"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["X-None: "], "Missing API key"),
        (["X-API-Key: wrong"], "Invalid API key"),
        ([bearer(token())], "Missing API key"),
        ([KEY, bearer(token(exp=int(time.time()) - 1))], "Token expired"),
        ([KEY, bearer(token(nbf=int(time.time()) + DAY))], "Invalid token"),
        ([KEY, bearer(token(OTHER_SECRET))], "Invalid token"),
        ([KEY, bearer(token(CENTRIFUGO_SECRET, sub="ann"))], "Invalid token"),
        ([KEY, bearer(token(user_id=None))], "Invalid token"),
        ([KEY, bearer(token(user_id=7))], "Invalid token"),
        ([KEY, bearer(token(exp=None))], "Invalid token"),
        ([KEY, bearer(token(exp="soon"))], "Invalid token"),
        ([KEY, bearer(token(algorithm="HS384"))], "Invalid token"),
        ([KEY, bearer(token("", "none"))], "Invalid token"),
        ([KEY, bearer("")], "Invalid token"),
        ([KEY, f"Authorization: {token()}"], "Invalid token"),
        ([KEY, bearer(token(app_id="other"))], "Token app mismatch"),
        ([KEY], "User authentication required"),
    ],
)
def test_who_may_not_call_is_told_why(chat: Chat, lines: list[str], message: str) -> None:
    """January's server makes a 500 of each."""
    status, told = chat.call("GET", CHANNELS, None, *lines)
    assert (status, told) == (500, {"error": {"message": message, "code": "INTERNAL_ERROR"}})


def test_both_tokens_are_signed_with_their_own_secret(chat: Chat) -> None:
    sent = {"userId": "ann", "name": "Ann", "custom": {"shoe": 41}}
    status, told = chat.call("POST", "/tokens", sent)

    rest = jwt.decode(told["token"], JWT_SECRET, algorithms=["HS256"])
    websocket = jwt.decode(told["wsToken"], CENTRIFUGO_SECRET, algorithms=["HS256"])
    assert (status, told["user"]) == (200, {"id": "ann", "name": "Ann"})
    assert (rest["user_id"], websocket["sub"], rest["app_id"]) == ("ann", "ann", APP_ID)
    assert rest["exp"] - rest["iat"] == websocket["exp"] - websocket["iat"] == DAY
    assert jwt.get_unverified_header(told["token"]) == {"alg": "HS256"}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ["userId"]),
        ({"userId": ""}, ["userId"]),
        ({"userId": 7}, ["userId"]),
        ({"userId": "ann", "image": None}, ["image"]),
        ({"userId": "ann", "custom": []}, ["custom"]),
        ([], []),
    ],
)
def test_what_is_wrong_in_the_body_is_told_with_its_place(
    chat: Chat, body: Any, path: list[str]
) -> None:
    status, told = chat.call("POST", "/tokens", body)

    (issue,) = told["error"]["issues"]
    assert (status, told["success"], issue["path"]) == (400, False, path)


@pytest.mark.parametrize("body", [b"", b"junk", b"\xff", b"[" * 100_000])
def test_junk_is_malformed(chat: Chat, body: bytes) -> None:
    status, told = chat.call("POST", "/tokens", body)
    assert (status, told["error"]["message"]) == (500, "Malformed JSON in request body")


def test_a_body_without_end_is_refused_at_once(chat: Chat) -> None:
    announced = post("/tokens", b"", KEY, chat.content_type)
    announced = announced.replace(b"Length: 0", b"Length: 9000000")
    assert ask(chat.stand_in.port, announced).status == 413


@pytest.mark.parametrize("line", ["X-None: ", "X-API-Key: wrong", "X-API-Key: käse"])
def test_only_who_has_the_key_gets_tokens(chat: Chat, line: str) -> None:
    assert chat.call("POST", "/tokens", {"userId": "ann"}, line)[0] == 401


def test_any_of_several_secrets_is_accepted_and_the_first_signs() -> None:
    with ChatSDKUpstream(jwt_secrets=[OTHER_SECRET, JWT_SECRET]) as stand_in:
        chat = Chat(stand_in)
        assert chat.call("GET", CHANNELS, None, KEY, bearer(token()))[0] == 200
        _, told = chat.call("POST", "/tokens", {"userId": "ann"})
        assert jwt.decode(told["token"], OTHER_SECRET, algorithms=["HS256"])


def test_a_direct_channel_is_opened_once_and_found_by_both(chat: Chat) -> None:
    status, channel = chat.as_user("ann", "POST", CHANNELS, {"memberIds": ["bob"]})
    assert (status, channel["cid"]) == (201, "messaging:ann-bob")

    asked = [KEY, bearer(token(user_id="bob"))]
    again = chat.see("POST", CHANNELS, {"memberIds": ["ann"]}, *asked)
    assert (again.status, again.header("location")) == (303, f"{CHANNELS}/{channel['id']}")
    _, listed = chat.as_user("bob", "GET", CHANNELS)
    assert [one["id"] for one in listed["channels"]] == [channel["id"]]


@pytest.mark.parametrize("document", [{}, {"memberIds": ["bob", "cy"]}, {"memberIds": "bob"}])
def test_a_direct_channel_has_two_members(chat: Chat, document: Any) -> None:
    assert chat.as_user("ann", "POST", CHANNELS, document)[0] == 400


def test_strangers_find_nothing(chat: Chat) -> None:
    assert chat.as_user("ann", "POST", CHANNELS, {"type": "group"})[0] == 201
    assert chat.as_user("eve", "GET", CHANNELS)[1]["channels"] == []


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/nothing"),
        ("GET", "/api"),
        ("DELETE", CHANNELS),
        ("GET", f"{CHANNELS}/"),
        ("GET", "/tokens"),
        ("GET", "/_sandbox/nothing"),
    ],
)
def test_what_is_not_there_is_404(chat: Chat, method: str, target: str) -> None:
    error = {"error": {"message": "Not Found", "code": "NOT_FOUND"}}
    assert chat.call(method, target) == (404, error)


def test_health_needs_no_key(chat: Chat) -> None:
    status, told = chat.call("GET", "/health", None, "X-None: ")
    assert (status, told["status"]) == (200, "ok")


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_the_probes_are_behind_the_key(chat: Chat, prefix: str) -> None:
    target = f"{prefix}/_sandbox/echo?a=%20"
    status, told = chat.call("POST", target, b"hello")

    assert (status, told["size"], told["target"]) == (200, 5, target)
    assert chat.call("GET", target, None, "X-None: ")[0] == 500
    assert chat.call("GET", f"{prefix}/_sandbox/bytes?size=x")[0] == 400


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "BAD_REQUEST"), (429, "RATE_LIMITED"), (500, "INTERNAL_ERROR"), (503, "ERROR")],
)
def test_faults_come_in_the_vendors_shape(chat: Chat, status: int, code: str) -> None:
    chat.stand_in.faults.next(f"status={status}", path="/api/*")
    answer = chat.see("GET", CHANNELS, None, KEY)

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)
    assert answer.header("retry-after") == ("1" if status == 429 else None)
