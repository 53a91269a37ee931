"""What the servers of both versions answer, as they were seen to do, and what goes out to them."""

from typing import Any

import pytest

from chatproxy.providers.chatsdk.provider import ChatSDK
from chatproxy.providers.chatsdk.settings import JANUARY, TODAY, ChatSDKSettings

PRIMARY, SCOPED = "primary-key-of-the-app", "app-scoped-key-of-the-app"


def provider(version: str, **more: Any) -> ChatSDK:
    settings = ChatSDKSettings(
        jwt_secrets=("j" * 40,),
        centrifugo_secrets=("c" * 40,),
        api_version=version,
        base_url="https://chat.example",
        **more,
    )
    return ChatSDK(settings)


BOTH = {"api_key": PRIMARY, "app_key": SCOPED}
JANUARYS = provider(JANUARY, api_key=PRIMARY)
TODAYS = provider(TODAY, **BOTH)
TODAYS_PRIMARY = provider(TODAY, api_key=PRIMARY)

BAD = b'{"error":{"message":"Invalid API key","code":"INTERNAL_ERROR"}}'
NO_KEY = b'{"error":{"message":"Missing API key","code":"INTERNAL_ERROR"}}'
NO_USER = b'{"error":{"message":"User authentication required. Include Authorization","code":"U"}}'
REFUSED = "refuses the API key."


@pytest.mark.parametrize(
    ("asked", "status", "content", "fault"),
    [
        (JANUARYS, 200, b'{"users":[]}', ""),
        (JANUARYS, 500, BAD, REFUSED),
        (JANUARYS, 401, BAD, REFUSED),
        (JANUARYS, 500, NO_KEY, REFUSED),
        (JANUARYS, 401, NO_USER, ""),
        (JANUARYS, 500, b'{"error":{"message":"connect ECONNREFUSED"}}', "answered 500."),
        (TODAYS, 401, NO_USER, ""),
        (TODAYS, 401, BAD, REFUSED),
        (TODAYS, 401, b"", "answered 401."),
        (TODAYS, 404, b"<html>API key</html>", "answered 404."),
        (TODAYS, 503, b'{"error":"API key"}', "answered 503."),
        (TODAYS, 429, b'{"error":{"message":["API key"]}}', REFUSED),
        (TODAYS_PRIMARY, 401, BAD, ""),
        (TODAYS_PRIMARY, 401, NO_USER, ""),
        (TODAYS_PRIMARY, 500, b"[" * 100_000, "answered 500."),
    ],
)
def test_the_check_up_reads_the_answers_of_both(
    asked: ChatSDK, status: int, content: bytes, fault: str
) -> None:
    assert asked.fault_in(status, content) == fault
    expected = {REFUSED: "refused", "": "accepted"}.get(fault, "unknown")

    if asked is not TODAYS_PRIMARY:
        assert asked.verdict(status, content) == expected


def test_the_primary_key_alone_proves_nothing_below_the_api() -> None:
    """A server of 2.0 refuses it there, good or bad."""
    assert TODAYS_PRIMARY.verdict(401, BAD) == "unknown"


@pytest.mark.parametrize("one", [JANUARYS, TODAYS], ids=["january", "today"])
def test_a_forwarded_answer_says_nothing_of_our_key(one: ChatSDK) -> None:
    assert one.verdict(401, None) == one.verdict(500, None) == "unknown"


KEY_OF = {
    "/tokens": PRIMARY,
    "/tokens/refresh": PRIMARY,
    "/api/auth/connect": PRIMARY,
    "/api/auth": PRIMARY,
    "/api/users/ensure": SCOPED,
    "/api/channels": SCOPED,
    "/api/authors": SCOPED,
    "/tokensx": SCOPED,
    "/health": SCOPED,
}


@pytest.mark.parametrize(("path", "key"), KEY_OF.items())
def test_each_path_gets_the_key_that_is_taken_there(path: str, key: str) -> None:
    assert TODAYS.credentials_for(path).headers == [("X-API-Key", key)]


@pytest.mark.parametrize("path", list(KEY_OF))
def test_one_key_has_to_serve_everywhere(path: str) -> None:
    for one, key in ((JANUARYS, PRIMARY), (TODAYS_PRIMARY, PRIMARY)):
        assert one.credentials_for(path).headers == [("X-API-Key", key)]

    scoped = provider(TODAY, app_key=SCOPED)
    assert scoped.credentials_for(path).headers == [("X-API-Key", SCOPED)]
    assert scoped.base_url == "https://chat.example"


def test_januarys_server_has_no_second_key() -> None:
    one = provider(JANUARY, app_key=SCOPED)
    settings = ChatSDKSettings(
        jwt_secrets=("j" * 40,), centrifugo_secrets=("c" * 40,), app_key=SCOPED
    )

    assert one.base_url is None
    assert any("CHATSDK_APP_KEY" in line for line in settings.warnings())


@pytest.mark.parametrize("path", ["/tokens", "/api/x"])
def test_neither_key_may_be_in_an_answer(path: str) -> None:
    credentials = TODAYS.credentials_for(path)

    assert credentials.are_in(f"https://chat.example/?k={PRIMARY}")
    assert credentials.are_in(f"https://chat.example/?k={SCOPED}")
    assert credentials.reserved == {"x_api_key"}
    assert PRIMARY not in repr(credentials)
    assert SCOPED not in repr(credentials)


def test_a_user_goes_out_with_the_key_in_january_and_without_today() -> None:
    bearer = ("Authorization", "Bearer x")

    assert JANUARYS.credentials_of_user("x").headers == [("X-API-Key", PRIMARY), bearer]
    assert TODAYS.credentials_of_user("x").headers == [bearer]
    assert TODAYS.credentials_of_user("x").reserved == {"x_api_key", "authorization"}
    assert TODAYS.credentials_of_user("x").are_in(f"y{PRIMARY}")
