"""`/api/*` and `/chatsdk/proxy/*`, before a strict stand-in for a ChatSDK server."""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.calls import call
from tests.canaries import CENTRIFUGO_SECRET, CHATSDK_KEY, JWT_SECRET
from tests.providers.chatsdk.conftest import App
from tests.sidecar import free_port
from tests.upstream import ChatSDKUpstream

ORIGIN = "https://app.example"
PAYLOAD = b"x" * 300_000


@pytest.fixture(scope="module")
def server() -> Iterator[ChatSDKUpstream]:
    """It shares its secrets with the sidecar, so a token made here is good there."""
    secrets = {"jwt_secrets": [JWT_SECRET], "centrifugo_secrets": [CENTRIFUGO_SECRET]}

    with ChatSDKUpstream(CHATSDK_KEY, **secrets) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def behind(server: ChatSDKUpstream, chatsdk_before: Callable[..., Any]) -> Iterator[App]:
    with chatsdk_before(
        CHATSDK_BASE_URL=server.url,
        CHATSDK_API_KEY=CHATSDK_KEY,
        CHATSDK_ALLOWED_ORIGINS=f"{ORIGIN},https://other.example",
    ) as app:
        yield app


def test_a_clients_call_arrives_with_the_real_key_and_its_own_token(
    behind: App, server: ChatSDKUpstream
) -> None:
    token = behind.tokens("alice")["token"]
    reply = behind.bearing(token, "GET", "/api/channels?limit=2&x=%2F")

    assert reply.status == 200
    (arrived,) = server.journal
    assert arrived.target == "/api/channels?limit=2&x=%2F"
    assert arrived.values("x-api-key") == [CHATSDK_KEY]
    assert arrived.values("authorization") == [f"Bearer {token}"]


def test_a_clients_own_key_is_replaced(behind: App, server: ChatSDKUpstream) -> None:
    token = behind.tokens("alice")["token"]
    fields = (f"X-API-Key: {behind.key}", "api-key: other", "Cookie: a=b")
    reply = behind.bearing(token, "GET", "/api/channels?x-api-key=other&X_API_KEY=other", *fields)

    assert reply.status == 200
    (arrived,) = server.journal
    assert arrived.target == "/api/channels"
    assert arrived.values("x-api-key") == [CHATSDK_KEY]


@pytest.mark.parametrize("named", ["x-api-key", "authorization", "Authorization, X-API-Key"])
def test_a_connection_field_removes_neither_the_key_nor_the_user(
    behind: App, server: ChatSDKUpstream, named: str
) -> None:
    """Without the token the call would be one of the server's own."""
    token = behind.tokens("alice")["token"]
    behind.bearing(token, "GET", "/api/channels", f"Connection: {named}")

    (arrived,) = server.journal
    assert arrived.values("x-api-key") == [CHATSDK_KEY]
    assert arrived.values("authorization") == [f"Bearer {token}"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/auth/connect"),
        ("POST", "/api/auth/connect/"),
        ("POST", "/api//auth/Connect;x"),
        ("POST", "/api/%61uth/connect"),
        ("POST", "/api/auth%2fconnect"),
        ("POST", "/api/server/apps/x/tokens/mint"),
        ("GET", "/api/admin/apps"),
        ("POST", "/api/users/bulk-ensure"),
        ("POST", "/api/users/ensure/"),
        ("POST", "/api/users/victim/revoke-tokens/"),
        ("POST", "/api/users/victim/Revoke-Tokens"),
        ("DELETE", "/api/users/victim/"),
        ("DELETE", "/api//users/victim"),
        ("DELETE", "/api/Users/victim"),
        ("DELETE", "/api/users;x/victim"),
        ("DELETE", "/api/%2575sers/victim"),
    ],
)
def test_a_users_token_does_not_open_what_is_done_with_the_key(
    behind: App, server: ChatSDKUpstream, method: str, path: str
) -> None:
    reply = behind.bearing(behind.tokens("mallory")["token"], method, path, body={"userId": "v"})

    assert reply.status in (401, 403), reply.json
    assert len(list(server.journal)) == 0


@pytest.mark.parametrize("path", ["/api/users/bob", "/api/users/a/devices", "/api/users/me/export"])
def test_a_users_own_routes_stay_open(behind: App, server: ChatSDKUpstream, path: str) -> None:
    behind.bearing(behind.tokens("alice")["token"], "GET", path)

    assert [one.target for one in server.journal] == [path]


def test_bodies_cross_byte_for_byte(behind: App) -> None:
    token = behind.tokens("alice")["token"]
    fields = ("Content-Type: application/octet-stream",)
    reply = behind.bearing(token, "POST", "/api/_sandbox/echo", *fields, body=PAYLOAD)

    assert reply.json["sha256"] == hashlib.sha256(PAYLOAD).hexdigest()
    assert reply.json["framing"] == "sized"


def test_a_bad_token_never_reaches_the_server(behind: App, server: ChatSDKUpstream) -> None:
    assert behind.bearing("junk", "POST", "/api/channels", body={"name": "x"}).status == 401
    assert len(list(server.journal)) == 0


def test_a_user_is_asked_for_by_its_client_too(behind: App, server: ChatSDKUpstream) -> None:
    token = behind.tokens("alice")["token"]
    behind.bearing(token, "GET", "/api/users/bob")

    assert [one.target for one in server.journal] == ["/api/users/bob"]


def test_the_guides_front_end_flow(behind: App) -> None:
    """Tokens, calls, the socket's check, a refresh before the end, a revocation, 401."""
    tokens = behind.tokens("carol", name="Carol")
    made = behind.bearing(tokens["token"], "POST", "/api/channels", body={"memberIds": ["bob"]})
    assert made.status in (200, 201), made.json
    assert behind.validate_ws(tokens["wsToken"]).status == 200
    assert behind.bearing(tokens["wsToken"], "GET", "/api/channels").status == 401
    assert behind.validate_ws(tokens["token"]).status == 401

    fresh = behind.refresh(tokens["token"]).json
    assert behind.bearing(fresh["token"], "GET", "/api/channels").status == 200
    assert behind.validate_ws(fresh["wsToken"]).status == 200

    assert behind.revoke("carol").status == 200
    for pair in (tokens, fresh):
        assert behind.bearing(pair["token"], "GET", "/api/channels").status == 401
        assert behind.validate_ws(pair["wsToken"]).status == 401


def test_a_local_caller_forwards_without_a_token(behind: App, server: ChatSDKUpstream) -> None:
    body = {"userId": "dave", "name": "Dave"}
    reply = call(behind.sidecar.port, "POST", "/chatsdk/proxy/tokens", body=body)

    assert reply.status == 200
    assert server.journal[0].target == "/tokens"
    assert server.journal[0].values("x-api-key") == [CHATSDK_KEY]


def test_the_servers_own_refusal_comes_back_as_it_is(behind: App) -> None:
    body = {"userId": "dave", "image": None}
    reply = call(behind.sidecar.port, "POST", "/chatsdk/proxy/tokens", body=body)

    assert (reply.status, reply.json["success"]) == (400, False)


def test_a_location_leads_back_through_the_sidecar(behind: App) -> None:
    token = behind.tokens("alice")["token"]
    body = {"memberIds": ["erin"]}
    made = behind.bearing(token, "POST", "/api/channels", body=body)
    again = behind.bearing(token, "POST", "/api/channels", body=body)

    assert (made.status, again.status) == (201, 303)
    assert again.header("Location") == f"/api/channels/{made.json['id']}"


@pytest.mark.parametrize(
    ("location", "seen"),
    [
        ("{server}/api/x", "/api/x"),
        ("{server}//evil.example/x", None),
        ("https://elsewhere.example/x", "https://elsewhere.example/x"),
    ],
)
def test_a_location_never_leads_a_client_astray(
    behind: App, server: ChatSDKUpstream, location: str, seen: str | None
) -> None:
    fault = f"X-Sandbox-Fault: redirect={location.format(server=server.url)}"
    token = behind.tokens("alice")["token"]

    assert behind.bearing(token, "GET", "/api/channels", fault).header("Location") == seen


def test_a_page_of_an_allowed_origin_may_call(behind: App) -> None:
    asked = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")
    reply = call(behind.sidecar.port, "OPTIONS", "/api/channels", f"Origin: {ORIGIN}", *asked)

    assert reply.status == 204
    assert reply.header("Access-Control-Allow-Origin") == ORIGIN
    assert "POST" in (reply.header("Access-Control-Allow-Methods") or "")
    assert reply.header("Access-Control-Allow-Headers") == "authorization"
    assert reply.header("Access-Control-Allow-Credentials") is None
    assert reply.header("Access-Control-Max-Age") == "600"
    assert reply.header("Vary") == "Origin"


def test_a_preflight_repeats_no_junk(behind: App) -> None:
    asked = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: a<b>")
    reply = call(behind.sidecar.port, "OPTIONS", "/api/channels", f"Origin: {ORIGIN}", *asked)

    assert (reply.status, reply.header("Access-Control-Allow-Headers")) == (204, None)


@pytest.mark.parametrize("path", ["/api/users/alice", "/api/users/never-seen"])
def test_a_page_may_read_answers_about_users_too(behind: App, path: str) -> None:
    reply = behind.ask("GET", path, f"Origin: {ORIGIN}")

    assert reply.header("Access-Control-Allow-Origin") == ORIGIN
    assert "Retry-After" in (reply.header("Access-Control-Expose-Headers") or "")


def test_every_origin_may_be_allowed(
    server: ChatSDKUpstream, chatsdk_before: Callable[..., Any]
) -> None:
    with chatsdk_before(CHATSDK_ALLOWED_ORIGINS="*") as app:
        reply = call(app.sidecar.port, "OPTIONS", "/api/x", "Origin: https://any.example")

    assert reply.header("Access-Control-Allow-Origin") == "*"


@pytest.mark.parametrize("token", ["good", "bad"])
def test_an_answer_may_be_read_by_that_page_only(behind: App, token: str) -> None:
    bearer = behind.tokens("alice")["token"] if token == "good" else "junk"
    mine = behind.bearing(bearer, "GET", "/api/channels", f"Origin: {ORIGIN}")
    other = behind.bearing(bearer, "GET", "/api/channels", "Origin: https://evil.example")

    assert mine.header("Access-Control-Allow-Origin") == ORIGIN
    assert other.header("Access-Control-Allow-Origin") is None
    assert other.header("Vary") == "Origin"


@pytest.mark.parametrize("path", ["/tokens", "/tokens/refresh", "/-/ready", "/chatsdk/proxy/x"])
def test_nothing_but_the_api_may_be_called_by_a_page(behind: App, path: str) -> None:
    preflight = call(behind.sidecar.port, "OPTIONS", path, f"Origin: {ORIGIN}")
    plain = behind.ask("POST", path, f"Origin: {ORIGIN}", body={"userId": "a"})

    assert preflight.status in (404, 405)
    assert preflight.header("Access-Control-Allow-Origin") is None
    assert plain.header("Access-Control-Allow-Origin") is None


def test_without_the_setting_no_page_may_call(app: App) -> None:
    assert call(app.sidecar.port, "OPTIONS", "/api/x", f"Origin: {ORIGIN}").status == 405
    reply = call(app.sidecar.port, "GET", "/api/x", f"Origin: {ORIGIN}")
    assert reply.header("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("path", ["/api/channels", "/chatsdk/proxy/tokens"])
def test_without_a_server_a_clear_503(app: App, path: str) -> None:
    reply = app.bearing(app.tokens("alice")["token"], "GET", path)

    assert (reply.status, reply.json["error"]["code"]) == (503, "ERROR")
    assert "CHATSDK_BASE_URL" in reply.json["error"]["message"]


def test_without_its_key_a_clear_503_too(
    server: ChatSDKUpstream, chatsdk_before: Callable[..., Any]
) -> None:
    with chatsdk_before(CHATSDK_BASE_URL=server.url) as app:
        reply = app.bearing(app.tokens("alice")["token"], "GET", "/api/channels")

    assert reply.status == 503
    assert "CHATSDK_API_KEY" in reply.json["error"]["message"]


def test_a_server_that_is_away_is_502_and_named_in_the_line(
    chatsdk_before: Callable[..., Any],
) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    with chatsdk_before(CHATSDK_BASE_URL=url, CHATSDK_API_KEY=CHATSDK_KEY) as app:
        reply = app.bearing(app.tokens("alice")["token"], "GET", "/api/x", "X-Request-Id: away")
        line = app.sidecar.wait_for_line(req_id="away")

    assert (reply.status, list(reply.json["error"])) == (502, ["message", "code"])
    assert line["brokenBy"] == "upstream"


def test_a_refused_key_shows_on_ready_and_a_refused_token_does_not(
    server: ChatSDKUpstream, chatsdk_before: Callable[..., Any]
) -> None:
    with chatsdk_before(CHATSDK_BASE_URL=server.url, CHATSDK_API_KEY="wrong") as app:
        app.bearing(app.tokens("alice")["token"], "GET", "/api/channels")
        call(app.sidecar.port, "GET", "/chatsdk/proxy/api/channels")
        assert "credentials" not in call(app.sidecar.port, "GET", "/-/ready").json

        check_up = call(app.sidecar.port, "GET", "/-/check-up")
        assert check_up.json["message"] == "chatsdk: refuses the API key."
        assert "chatsdk" in call(app.sidecar.port, "GET", "/-/ready").json["credentials"]


def test_the_check_up_asks_the_server(behind: App, server: ChatSDKUpstream) -> None:
    assert call(behind.sidecar.port, "GET", "/-/check-up").status == 200
    assert [one.target for one in server.journal] == ["/api/users?limit=0"]


def test_below_a_prefix_all_is_found_and_the_server_sees_none_of_it(
    server: ChatSDKUpstream, chatsdk_before: Callable[..., Any]
) -> None:
    with chatsdk_before(
        SERVICE_PREFIX="/chat", CHATSDK_BASE_URL=server.url, CHATSDK_API_KEY=CHATSDK_KEY
    ) as app:
        issued = app.ask("POST", "/chat/tokens", body={"userId": "alice"}).json
        assert app.bearing(issued["token"], "GET", "/chat/api/channels").status == 200
        assert app.ask("GET", "/chat/api/users/alice").json["user"]["id"] == "alice"
        assert app.ask("POST", "/tokens", body={"userId": "alice"}).status == 404

    assert [one.target for one in server.journal] == ["/api/channels"]


def test_the_walk_of_a_stream_is_not_held_up(behind: App) -> None:
    token = behind.tokens("alice")["token"]
    reply = behind.bearing(token, "GET", "/api/_sandbox/bytes?size=1000000&chunked=1")

    assert (reply.status, len(reply.raw.body)) == (200, 1_000_000)
    assert json.dumps(reply.header("Transfer-Encoding")) == '"chunked"'
