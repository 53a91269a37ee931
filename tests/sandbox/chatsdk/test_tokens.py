"""Giving tokens out, refreshing and checking them."""

import time
from typing import Any

import jwt
import pytest

from sandbox import ChatSDKSandbox
from sandbox.chatsdk import APP_ID, CENTRIFUGO_SECRET, JWT_SECRET
from tests.sandbox.chatsdk.chat import DAY, JSON, KEY, OTHER_SECRET, Chat, bearer, token
from tests.wire import ask, post


def ws_token(secret: str = CENTRIFUGO_SECRET, **changes: Any) -> str:
    return token(secret, **{"user_id": None, "sub": "ann", **changes})


def test_both_tokens_are_signed_with_their_own_secret(chat: Chat) -> None:
    status, told = chat.call("POST", "/tokens", {"userId": "ann"})

    rest = jwt.decode(told["token"], JWT_SECRET, algorithms=["HS256"])
    websocket = jwt.decode(told["wsToken"], CENTRIFUGO_SECRET, algorithms=["HS256"])
    assert status == 200
    assert (rest["user_id"], websocket["sub"], rest["app_id"]) == ("ann", "ann", APP_ID)
    assert rest["exp"] - rest["iat"] == websocket["exp"] - websocket["iat"] == DAY
    assert told["expiresIn"] == DAY
    assert jwt.get_unverified_header(told["token"]) == {"alg": "HS256"}


@pytest.mark.parametrize("extra", [{}, {"name": "Ann", "image": "https://a.example/ann.png"}])
def test_the_user_is_told_back_as_it_was_sent(chat: Chat, extra: dict[str, str]) -> None:
    sent = {"userId": "ann", "custom": {"shoe": 41}, "email": "ann@a.example", **extra}
    _, told = chat.call("POST", "/tokens", sent)
    assert told["user"] == {"id": "ann", **extra}


def test_what_is_left_out_stays_except_custom(chat: Chat, chatsdk: ChatSDKSandbox) -> None:
    chat.call("POST", "/tokens", {"userId": "ann", "name": "Ann", "custom": {"shoe": 41}})
    chat.call("POST", "/tokens", {"userId": "ann"})
    assert chatsdk.users == {"ann": {"id": "ann", "name": "Ann", "custom": {}}}


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        ({}, "invalid_type", ["userId"]),
        ({"userId": ""}, "too_small", ["userId"]),
        ({"userId": 7}, "invalid_type", ["userId"]),
        ({"userId": None}, "invalid_type", ["userId"]),
        ({"userId": "ann", "name": None}, "invalid_type", ["name"]),
        ({"userId": "ann", "image": None}, "invalid_type", ["image"]),
        ({"userId": "ann", "image": ""}, "invalid_string", ["image"]),
        ({"userId": "ann", "image": "/ann.png"}, "invalid_string", ["image"]),
        ({"userId": "ann", "image": "https://"}, "invalid_string", ["image"]),
        ({"userId": "ann", "custom": []}, "invalid_type", ["custom"]),
        ({"userId": "ann", "custom": None}, "invalid_type", ["custom"]),
        ({"userId": "ann", "email": "ann"}, "invalid_string", ["email"]),
        ([], "invalid_type", []),
    ],
)
def test_a_fault_in_the_body_is_told_with_its_place(
    chat: Chat, body: Any, code: str, path: list[str]
) -> None:
    status, told = chat.call("POST", "/tokens", body)

    (issue,) = told["error"]["issues"]
    assert (status, told["success"], told["error"]["name"]) == (400, False, "ZodError")
    assert (issue["code"], issue["path"]) == (code, path)
    assert issue["message"]


@pytest.mark.parametrize("body", [b"", b"junk", b"\xff", b"[" * 100_000])
def test_junk_is_malformed(chat: Chat, body: bytes) -> None:
    status, told = chat.call("POST", "/tokens", body)
    assert (status, told["error"]["message"]) == (400, "Malformed JSON in request body")


@pytest.mark.parametrize("line", ["Content-Type: text/plain", "X-None: "])
def test_another_content_type_counts_as_an_empty_object(chatsdk: ChatSDKSandbox, line: str) -> None:
    answer = ask(chatsdk.port, post("/tokens", b'{"userId":"ann"}', KEY, line))
    assert (answer.status, b'"Required"' in answer.body) == (400, True)


def test_a_body_without_end_is_refused_at_once(chatsdk: ChatSDKSandbox) -> None:
    announced = post("/tokens", b"", KEY, JSON).replace(b"Length: 0", b"Length: 9000000")
    assert ask(chatsdk.port, announced).status == 413


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X-None: ", "Missing API key"),
        ("X-API-Key: ", "Missing API key"),
        ("X-API-Key: wrong", "Invalid API key"),
        ("X-API-Key: käse", "Invalid API key"),
        ("Authorization: Bearer x", "Missing API key"),
    ],
)
def test_only_who_has_the_key_gets_tokens(chat: Chat, line: str, message: str) -> None:
    status, told = chat.call("POST", "/tokens", {"userId": "ann"}, line)
    assert (status, told) == (401, {"error": {"message": message}})
    assert chat.stand_in.users == {}


def test_the_body_is_looked_at_before_the_key(chat: Chat) -> None:
    assert chat.call("POST", "/tokens", {}, "X-API-Key: wrong")[0] == 400


@pytest.mark.parametrize("age", [-60, DAY - 60])
def test_a_token_is_refreshed_up_to_a_day_after_its_end(chat: Chat, age: int) -> None:
    old = bearer(token(exp=int(time.time()) - age))
    status, told = chat.call("POST", "/tokens/refresh", None, old)

    assert (status, sorted(told)) == (200, ["expiresIn", "token", "wsToken"])
    assert jwt.decode(told["token"], JWT_SECRET, algorithms=["HS256"])["user_id"] == "ann"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X-None: ", "Missing token"),
        (f"Authorization: {token()}", "Missing token"),
        (bearer(token(exp=int(time.time()) - DAY - 60)), "Invalid token"),
        (bearer(token(OTHER_SECRET)), "Invalid token"),
        (bearer(ws_token()), "Invalid token"),
        (bearer("junk"), "Invalid token"),
    ],
)
def test_what_cannot_be_refreshed_is_401(chat: Chat, line: str, message: str) -> None:
    status, told = chat.call("POST", "/tokens/refresh", None, line)
    assert (status, told) == (401, {"error": {"message": message}})


@pytest.mark.parametrize(("target", "text"), [("validate", token()), ("validate-ws", ws_token())])
def test_a_good_token_is_valid(chat: Chat, target: str, text: str) -> None:
    status, told = chat.call("GET", f"/tokens/{target}", None, bearer(text))

    payload = told["payload"]
    assert (status, told["valid"]) == (200, True)
    assert (payload["userId"], payload["appId"]) == ("ann", APP_ID)
    assert payload["issuedAt"] < payload["expiresAt"]
    assert payload["expiresAt"].endswith("Z")
    assert ("user" in told) is (target == "validate")


def test_a_check_tells_the_user_it_knows(chat: Chat) -> None:
    good = bearer(token())
    assert chat.call("GET", "/tokens/validate", None, good)[1]["user"] is None

    chat.call("POST", "/tokens", {"userId": "ann", "name": "Ann"})
    known = {"id": "ann", "name": "Ann", "image": None}
    assert chat.call("GET", "/tokens/validate", None, good)[1]["user"] == known


@pytest.mark.parametrize(
    ("target", "line", "message"),
    [
        ("validate", "X-None: ", "Missing token"),
        ("validate", bearer(token(exp=1)), "Token expired"),
        ("validate", bearer(token(OTHER_SECRET)), "Invalid token signature"),
        ("validate", bearer(ws_token()), "Invalid token signature"),
        ("validate", bearer("junk"), "Invalid token"),
        ("validate", bearer(token(algorithm="HS384")), "Invalid token"),
        ("validate", bearer(token("", "none")), "Invalid token"),
        ("validate", bearer(token(exp=None)), "Invalid token"),
        ("validate", bearer(token(exp=10**20)), "Invalid token"),
        ("validate", bearer(token(exp="soon")), "Invalid token"),
        ("validate", bearer(token(nbf=int(time.time()) + DAY)), "Invalid token"),
        ("validate", bearer(token(user_id=7)), "Invalid token"),
        ("validate", bearer(token(user_id="")), "Invalid token"),
        ("validate", bearer(token(app_id=None)), "Invalid token"),
        ("validate-ws", "X-None: ", "Missing token"),
        ("validate-ws", bearer(ws_token(exp=1)), "WebSocket token expired"),
        ("validate-ws", bearer(ws_token(OTHER_SECRET)), "Invalid WebSocket token"),
        ("validate-ws", bearer(token()), "Invalid WebSocket token"),
        ("validate-ws", bearer(ws_token(sub=None)), "Invalid WebSocket token"),
    ],
)
def test_a_bad_token_is_not_valid(chat: Chat, target: str, line: str, message: str) -> None:
    status, told = chat.call("GET", f"/tokens/{target}", None, line)

    assert (status, told["valid"]) == (401, False)
    assert (told["error"]["message"], bool(told["error"]["hint"])) == (message, True)


def test_any_of_several_secrets_is_accepted_and_the_first_signs() -> None:
    with ChatSDKSandbox(jwt_secrets=[OTHER_SECRET, JWT_SECRET]) as stand_in:
        chat = Chat(stand_in)
        assert chat.call("GET", "/tokens/validate", None, bearer(token()))[0] == 200
        _, told = chat.call("POST", "/tokens", {"userId": "ann"})
        assert jwt.decode(told["token"], OTHER_SECRET, algorithms=["HS256"])
