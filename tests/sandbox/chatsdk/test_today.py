"""The stand-in as the server of today: what it refuses, and to whom."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.chatsdk import API_KEY, APP_KEY, CENTRIFUGO_SECRET, JWT_SECRET
from sandbox.chatsdk.authentication import TODAY
from tests.sandbox.chatsdk.chat import DAY, OTHER_SECRET, Chat, bearer, token
from tests.upstream import ChatSDKUpstream

CHANNELS = "/api/channels"
PRIMARY, SCOPED = f"X-API-Key: {API_KEY}", f"X-API-Key: {APP_KEY}"


@pytest.fixture
def chat() -> Iterator[Chat]:
    with ChatSDKUpstream(version=TODAY) as stand_in:
        stand_in.users.add("ann")
        yield Chat(stand_in)


def access(secret: str = JWT_SECRET, **changes: Any) -> str:
    """A token that it accepts, but for the changes; None takes a claim out."""
    whole = {
        "type": "access",
        "iss": "chatsdk-api",
        "aud": "chatsdk-client",
        "scopes": ["chat:read"],
        "jti": str(uuid.uuid4()),
    }
    return token(secret, **whole | changes)


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({}, 200, ""),
        ({"aud": ["x", "chatsdk-client"]}, 200, ""),
        ({"jti": None}, 200, ""),
        ({"jti": f"0-{'a' * 32}"}, 401, "Invalid token"),
        ({"iss": None}, 401, "Invalid token"),
        ({"iss": "x"}, 401, "Invalid token"),
        ({"aud": None}, 401, "Invalid token"),
        ({"aud": "x"}, 401, "Invalid token"),
        ({"type": None}, 401, "Invalid token type"),
        ({"type": "refresh"}, 401, "Invalid token type"),
        ({"user_id": "nobody"}, 401, "Token user not found"),
        ({"app_id": "other"}, 401, "Token user not found"),
        ({"sid": str(uuid.uuid4())}, 401, "Token session not found"),
        ({"exp": int(time.time()) - 1}, 401, "Token expired"),
        ({"nbf": int(time.time()) + DAY}, 401, "Invalid token"),
        ({"scopes": None}, 403, "Token scope required: chat:read"),
        ({"scopes": ["chat:write"]}, 403, "Token scope required: chat:read"),
    ],
)
def test_a_token_is_looked_at_whole(
    chat: Chat, changes: dict[str, Any], status: int, message: str
) -> None:
    found, told = chat.call("GET", CHANNELS, None, bearer(access(**changes)))

    assert found == status
    assert told.get("error", {}).get("message", "") == message


@pytest.mark.parametrize("secret", [OTHER_SECRET, CENTRIFUGO_SECRET])
def test_another_secret_is_refused(chat: Chat, secret: str) -> None:
    assert chat.call("GET", CHANNELS, None, bearer(access(secret)))[0] == 401


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X-None: ", "Missing authorization"),
        (PRIMARY, "Invalid API key"),
        ("X-API-Key: wrong", "Invalid API key"),
        (SCOPED, "User authentication required"),
    ],
)
def test_the_primary_key_opens_nothing_below_the_api(chat: Chat, line: str, message: str) -> None:
    status, told = chat.call("GET", CHANNELS, None, line)

    assert (status, told["error"]) == (401, {"message": message, "code": "UNAUTHORIZED"})


@pytest.mark.parametrize(("line", "status"), [(PRIMARY, 200), (SCOPED, 401), ("X-None: ", 401)])
def test_the_primary_key_alone_gives_tokens_out(chat: Chat, line: str, status: int) -> None:
    assert chat.call("POST", "/tokens", {"userId": "bob"}, line)[0] == status


@pytest.mark.parametrize(
    ("lines", "status"),
    [([SCOPED], 201), ([PRIMARY], 401), ([SCOPED, bearer(access())], 401)],
)
def test_the_other_key_alone_makes_users(chat: Chat, lines: list[str], status: int) -> None:
    assert chat.call("POST", "/api/users/ensure", {"userId": "bob"}, *lines)[0] == status


def test_a_user_is_made_once(chat: Chat) -> None:
    made = [chat.call("POST", "/api/users/ensure", {"userId": "bob"}, SCOPED) for _ in range(2)]

    assert [(status, told["action"]) for status, told in made] == [
        (201, "created"),
        (200, "existing"),
    ]


def test_its_own_tokens_are_good_and_its_refresh_token_is_none(chat: Chat) -> None:
    _, made = chat.call("POST", "/tokens", {"userId": "bob"}, PRIMARY)

    # It has no scopes, as at the real one.
    assert chat.call("GET", CHANNELS, None, bearer(made["token"]))[0] == 403
    assert chat.call("GET", "/api/users", None, bearer(made["token"]))[0] == 200
    assert chat.call("GET", "/api/users", None, bearer(made["refreshToken"]))[0] == 401
    assert chat.call("GET", "/api/users", None, bearer(made["wsToken"]))[0] == 401


def test_what_is_no_json_is_400(chat: Chat) -> None:
    assert chat.call("POST", "/tokens", b"junk", PRIMARY)[0] == 400


def test_in_january_the_one_key_lists_users() -> None:
    with ChatSDKUpstream() as stand_in:
        chat = Chat(stand_in)
        assert chat.call("GET", "/api/users?limit=0", None, PRIMARY) == (200, {"users": []})
        assert chat.call("GET", "/api/users?limit=0", None, SCOPED)[0] == 500
        assert chat.call("POST", "/api/users/ensure", {"userId": "a"}, PRIMARY)[0] == 500
