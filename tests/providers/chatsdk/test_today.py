"""A sidecar of API version 2.0, before today's server and a Centrifugo beside it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.centrifugo.connecting import Parties
from sandbox.chatsdk.authentication import TODAY
from tests.calls import call
from tests.canaries import (
    CENTRIFUGO_KEY,
    CENTRIFUGO_SECRET,
    CHATSDK_APP_KEY,
    CHATSDK_KEY,
    JWT_SECRET,
)
from tests.providers.chatsdk import claims
from tests.providers.chatsdk.conftest import App
from tests.upstream import CentrifugoUpstream, ChatSDKUpstream

PARTIES = Parties("chatsdk-api", "chatsdk-client")
ORIGIN = "https://app.example"


@pytest.fixture(scope="module")
def server() -> Iterator[ChatSDKUpstream]:
    secrets = {"jwt_secrets": [JWT_SECRET], "centrifugo_secrets": [CENTRIFUGO_SECRET]}

    with ChatSDKUpstream(CHATSDK_KEY, app_key=CHATSDK_APP_KEY, version=TODAY, **secrets) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def centrifugo() -> Iterator[CentrifugoUpstream]:
    with CentrifugoUpstream(CENTRIFUGO_KEY, [CENTRIFUGO_SECRET], PARTIES) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def behind(
    server: ChatSDKUpstream, centrifugo: CentrifugoUpstream, chatsdk_before: Callable[..., Any]
) -> Iterator[App]:
    with chatsdk_before(
        CHATSDK_API_VERSION=TODAY,
        CHATSDK_BASE_URL=server.url,
        CHATSDK_API_KEY=CHATSDK_KEY,
        CHATSDK_APP_KEY=CHATSDK_APP_KEY,
        CHATSDK_ALLOWED_ORIGINS=ORIGIN,
        CENTRIFUGO_API_URL=f"{centrifugo.url}/api",
        CENTRIFUGO_API_KEY=CENTRIFUGO_KEY,
    ) as app:
        yield app


@pytest.fixture(autouse=True)
def _forget(server: ChatSDKUpstream, centrifugo: CentrifugoUpstream) -> None:
    server.journal.clear()
    centrifugo.disconnected.clear()


def proxied(app: App, method: str, path: str, *fields: str, body: Any = None) -> Any:
    return call(app.sidecar.port, method, f"/chatsdk/proxy{path}", *fields, body=body)


def known_to(app: App, user_id: str) -> dict[str, Any]:
    """Tokens of a user whom the server knows."""
    made = proxied(app, "POST", "/api/users/ensure", body={"userId": user_id})
    assert made.status in (200, 201), made.json
    return app.tokens(user_id)


def test_a_token_of_ours_is_good_at_the_server_and_no_key_goes_with_it(
    behind: App, server: ChatSDKUpstream
) -> None:
    token = known_to(behind, "ann")["token"]
    server.journal.clear()
    reply = behind.bearing(token, "GET", "/api/channels", "X-API-Key: anything")

    assert (reply.status, reply.json) == (200, {"channels": []})
    (arrived,) = server.journal
    assert arrived.values("authorization") == [f"Bearer {token}"]
    assert arrived.values("x-api-key") == []


def test_what_comes_of_renewing_is_good_there_too(behind: App) -> None:
    known_to(behind, "bob")
    made = behind.ask("POST", "/api/auth/connect", body={"userId": "bob"}).json
    body = {"refreshToken": made["refreshToken"]}
    port = behind.sidecar.port
    renewed = call(port, "POST", "/api/auth/refresh", body=body).json

    for one in (made, renewed):
        reply = behind.bearing(one["token"], "POST", "/api/channels", body={"memberIds": ["x"]})
        assert reply.status in (201, 303), reply.json

    # A refresh token of ours means nothing there.
    bearer = f"Authorization: Bearer {renewed['refreshToken']}"
    assert proxied(behind, "GET", "/api/channels", bearer).json["error"]["message"] == (
        "Invalid token"
    )


def test_of_two_keys_each_goes_where_it_is_taken(behind: App, server: ChatSDKUpstream) -> None:
    issued = proxied(behind, "POST", "/tokens", body={"userId": "carl"})
    ensured = proxied(behind, "POST", "/api/users/ensure", body={"userId": "dora"})

    assert (issued.status, ensured.status) == (200, 201)
    keys = [(one.target, one.values("x-api-key")) for one in server.journal]
    assert keys == [("/tokens", [CHATSDK_KEY]), ("/api/users/ensure", [CHATSDK_APP_KEY])]


def test_the_servers_own_tokens_pass_and_its_refresh_token_does_not(
    behind: App, server: ChatSDKUpstream
) -> None:
    theirs = proxied(behind, "POST", "/tokens", body={"userId": "fred"}).json
    server.journal.clear()

    assert behind.validate(theirs["token"]).json["payload"]["userId"] == "fred"
    assert behind.validate_ws(theirs["wsToken"]).json["payload"]["userId"] == "fred"
    # It has no scopes, which is the server's business, as its 403 shows.
    assert behind.bearing(theirs["token"], "GET", "/api/channels").status == 403
    assert len(list(server.journal)) == 1

    for reply in (
        behind.validate(theirs["refreshToken"]),
        behind.refresh(theirs["refreshToken"]),
        behind.bearing(theirs["refreshToken"], "GET", "/api/channels"),
        behind.bearing(theirs["refreshToken"], "POST", "/api/auth/refresh"),
    ):
        assert (reply.status, reply.json["error"]["message"]) == (401, "Invalid token type")

    assert len(list(server.journal)) == 1


def test_a_check_up_is_right(behind: App, server: ChatSDKUpstream) -> None:
    assert call(behind.sidecar.port, "GET", "/-/check-up").status == 200
    (arrived,) = server.journal
    assert (arrived.target, arrived.values("x-api-key")) == (
        "/api/users?limit=0",
        [CHATSDK_APP_KEY],
    )


@pytest.mark.parametrize("how", ["revoke", "delete"])
def test_centrifugo_is_told_the_name_that_it_knows(
    behind: App, centrifugo: CentrifugoUpstream, how: str
) -> None:
    ws_token = behind.tokens(f"gina-{how}")["wsToken"]
    connected = call(centrifugo.port, "POST", "/_sandbox/connect", body={"token": ws_token}).json
    reply = (
        behind.revoke(f"gina-{how}")
        if how == "revoke"
        else behind.ask("DELETE", f"/api/users/gina-{how}")
    )

    assert reply.status == 200
    assert centrifugo.disconnected == [connected["connect"]["user"]] == [f"default:gina-{how}"]


def test_a_page_may_renew_and_may_not_connect(behind: App) -> None:
    port, origin = behind.sidecar.port, f"Origin: {ORIGIN}"
    asked = ("Access-Control-Request-Method: POST", origin)
    assert call(port, "OPTIONS", "/api/auth/refresh", *asked).status == 204
    body = {"refreshToken": behind.tokens("hal")["token"]}
    reply = call(port, "POST", "/api/auth/refresh", origin, body=body)

    assert (reply.status, reply.header("Access-Control-Allow-Origin")) == (200, ORIGIN)
    crossing = "Sec-Fetch-Site: cross-site"
    key = f"X-API-Key: {behind.key}"
    connect = call(port, "POST", "/api/auth/connect", key, crossing, body={"userId": "hal"})
    assert connect.status == 403


@pytest.mark.parametrize("user", ["ann", "default:ann"])
def test_an_old_ws_token_names_whom_it_named(behind: App, user: str) -> None:
    assert behind.validate_ws(claims.made_ws(user)).json["payload"]["userId"] == user
