"""Who may call, and what is said to those who may not."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from tests import commands
from tests.calls import call
from tests.canaries import IMPORTED_KEY
from tests.providers.chatsdk.conftest import TOKEN_SECRETS, App

USER = {"userId": "access"}

#: Everything that a caller with neither key nor token may reach, and what it then meets.
OPEN = {"/ws": 501, "/ws/x": 501}
GUARDED = {
    ("POST", "/tokens"): "Missing API key",
    ("POST", "/tokens/refresh"): "Missing token",
    ("GET", "/tokens/validate"): "Missing token",
    ("GET", "/tokens/validate-ws"): "Missing token",
    ("POST", "/api/auth/connect"): "Missing API key",
    ("POST", "/api/auth/refresh"): "Missing refresh token",
    ("POST", "/api/users/ensure"): "Missing API key",
    ("POST", "/api/users/a/revoke-tokens"): "Missing API key",
    ("GET", "/api/users/a"): "Missing token",
    ("DELETE", "/api/users/a"): "Missing API key",
    ("GET", "/api/channels"): "Missing token",
    ("POST", "/api/x/y/z"): "Missing token",
    ("PUT", "/api/"): "Missing token",
    ("PATCH", "/api//"): "Missing token",
    ("DELETE", "/api/users/a/devices/b"): "Missing token",
    ("POST", "/api/users/a/b"): "Missing token",
}


@pytest.mark.parametrize(("asked", "message"), GUARDED.items(), ids=str)
def test_nobody_gets_in_without_a_credential(
    app: App, asked: tuple[str, str], message: str
) -> None:
    reply = call(app.sidecar.port, *asked, body=USER)

    assert reply.status == 401
    assert reply.json["error"]["message"] == message


def test_the_body_is_checked_before_the_key(app: App) -> None:
    assert call(app.sidecar.port, "POST", "/tokens", body={}).status == 400


@pytest.mark.parametrize(
    "key",
    [
        "x",
        "chatsdk_" + "0" * 40,
        "pk_0011",
        "pk_00112233445566778899aabb.sk_x.y",
        "é",
        "a b",
        "x" * 5000,
        "' OR 1=1 --",
        "Bearer x",
        "\tx",
    ],
    ids=ascii,
)
def test_a_key_that_is_none_of_ours_is_invalid(app: App, key: str) -> None:
    reply = call(app.sidecar.port, "POST", "/tokens", f"X-API-Key: {key}", body=USER)

    assert (reply.status, reply.json) == (401, {"error": {"message": "Invalid API key"}})


@pytest.mark.parametrize("place", [3, 20, 60, -1])
def test_a_key_with_one_character_changed_is_invalid(app: App, place: int) -> None:
    changed = list(app.key)
    changed[place] = "A" if changed[place] != "A" else "B"
    key = "".join(changed)

    assert call(app.sidecar.port, "POST", "/tokens", f"X-API-Key: {key}", body=USER).status == 401


@pytest.mark.parametrize("part", [0, 1], ids=["keyId", "keySecret"])
def test_half_of_a_key_is_invalid(app: App, part: int) -> None:
    half = app.key.partition(".")[2 * part]

    assert call(app.sidecar.port, "POST", "/tokens", f"X-API-Key: {half}", body=USER).status == 401


def test_the_parts_of_a_key_make_the_key(app: App) -> None:
    made = app.another_key()

    assert sorted(made) == ["apiKey", "keyId", "keySecret"]
    assert made["apiKey"] == f"{made['keyId']}.{made['keySecret']}"
    assert made["keyId"].startswith("pk_")
    assert made["keySecret"].startswith("sk_")


def test_a_client_key_is_public_and_opens_nothing(app: App) -> None:
    made = app.another_key("--kind", "client")
    field = f"X-API-Key: {made['clientKey']}"

    assert list(made) == ["clientKey"]
    assert call(app.sidecar.port, "POST", "/tokens", field, body=USER).status == 401


def test_two_keys_in_two_fields_are_refused(app: App) -> None:
    fields = (f"X-API-Key: {app.key}", f"X-API-Key: {app.key}")

    assert call(app.sidecar.port, "POST", "/tokens", *fields, body=USER).status == 401


def test_a_look_alike_of_the_fields_name_is_not_read(app: App) -> None:
    assert (
        call(app.sidecar.port, "POST", "/tokens", f"X_API_Key: {app.key}", body=USER).status == 401
    )


def status_with(app: App, key: str) -> int:
    return call(app.sidecar.port, "POST", "/tokens", f"X-API-Key: {key}", body=USER).status


def test_a_new_key_is_in_force_at_once_and_a_revoked_one_is_not(app: App) -> None:
    made = app.another_key()
    assert status_with(app, made["apiKey"]) == 200

    commands.answer(app.sidecar.environ, "keys", "revoke", made["keyId"])

    assert status_with(app, made["apiKey"]) == 401


def test_a_rotated_key_is_good_for_the_overlap(app: App) -> None:
    old = app.another_key()
    rotate = ("keys", "rotate", old["keyId"], "--overlap")
    new = commands.answer(app.sidecar.environ, *rotate, "1s")
    assert (status_with(app, old["apiKey"]), status_with(app, new["apiKey"])) == (200, 200)

    time.sleep(1.1)

    assert (status_with(app, old["apiKey"]), status_with(app, new["apiKey"])) == (401, 200)


def test_a_key_ends_when_its_life_does(app: App) -> None:
    made = app.another_key("--expires", "1s")
    assert status_with(app, made["apiKey"]) == 200

    time.sleep(1.1)

    assert status_with(app, made["apiKey"]) == 401


def test_an_imported_key_is_in_force_within_a_second(app: App) -> None:
    commands.answer(app.sidecar.environ, "keys", "import", "old", stdin=f"{IMPORTED_KEY}\n")
    time.sleep(1)

    assert status_with(app, IMPORTED_KEY) == 200


def test_a_caller_on_another_address_form_is_not_trusted(
    app: App,
) -> None:
    """What a caller says of itself in forwarding fields changes nothing."""
    fields = ("X-Forwarded-For: 10.0.0.1", "X-Forwarded-Prefix: /x", "SCRIPT_NAME: /x")

    assert app.ask("POST", "/tokens", *fields, body=USER).status == 200


@pytest.mark.parametrize(
    "field",
    [
        "Authorization: {}",
        "Authorization:",
        "Authorization: Bearer",
        "Authorization: Bearer ",
        "Authorization: Basic {}",
        "Authorization: Token {}",
        "Authorization: Bearer {} {}",
        "Authorization: Bearer\t{}",
        "Authorization: Bearer {},Bearer {}",
    ],
)
def test_another_form_than_bearer_is_a_missing_token(app: App, field: str) -> None:
    line = field.replace("{}", app.tokens("forms")["token"])
    reply = call(app.sidecar.port, "GET", "/tokens/validate", line)

    assert (reply.status, reply.json["error"]["message"]) == (401, "Missing token")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_may_be_written_in_any_case(app: App, scheme: str) -> None:
    line = f"Authorization: {scheme} {app.tokens('forms')['token']}"

    assert call(app.sidecar.port, "GET", "/tokens/validate", line).status == 200


def test_two_tokens_in_two_fields_are_refused(app: App) -> None:
    line = f"Authorization: Bearer {app.tokens('forms')['token']}"

    assert call(app.sidecar.port, "GET", "/tokens/validate", line, line).status == 401


HIDDEN = {
    "/%61pi/channels": 400,
    "/api%2Fchannels": 400,
    "/api/../tokens": 400,
    "/api/%2e%2e/tokens": 400,
    "/api/..%2ftokens": 400,
    "//api/channels": 400,
    "/API/channels": 404,
    "/api;x/channels": 404,
}


@pytest.mark.parametrize(("path", "status"), HIDDEN.items())
def test_a_path_that_hides_its_place_leads_nowhere(forwarding: App, path: str, status: int) -> None:
    token = forwarding.tokens("hidden")["token"]

    assert forwarding.bearing(token, "GET", path).status == status


@pytest.fixture(scope="module")
def forwarding(chatsdk_before: Callable[..., Any]) -> Iterator[App]:
    """Its server is away: what gets through is a 502."""
    away = {"CHATSDK_BASE_URL": "http://127.0.0.1:1", "CHATSDK_API_KEY": "chatsdk_key"}

    with chatsdk_before(**away) as app:
        yield app


def test_the_tables_here_name_everything_that_is_reachable() -> None:
    """A new endpoint has to say who may call it."""
    given = {"PROVIDERS": "chatsdk", **TOKEN_SECRETS}
    served = {
        rule.rule.split("<")[0].rstrip("/")
        for rule in create_app(settings.load(SETTINGS, given)).url_map.iter_rules()
    }
    named = {path.rstrip("/") for _, path in GUARDED} | set(OPEN)
    missing = {
        place
        for place in served
        if not any(path == place or path.startswith(place + "/") for path in named)
    }

    state = {"/-/healthz", "/-/ready", "/-/check-up", "/-/metrics"}
    # Who may call what every provider has in one form is in tests/web/v1/test_who_may.py.
    common = {"/v1/tokens", "/v1/users"}
    assert missing == {*state, *common, "/documentation", "/documentation/json", "/chatsdk/proxy"}


@pytest.mark.parametrize(("path", "status"), OPEN.items())
def test_a_websocket_is_told_where_to_go(
    chatsdk_before: Callable[..., Any], app: App, path: str, status: int
) -> None:
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")

    for fields in ((), upgrade):
        reply = call(app.sidecar.port, "GET", path, *fields)
        assert (reply.status, reply.json["error"]["code"]) == (status, "ERROR")
        assert "CHATSDK_WS_URL" in reply.json["error"]["message"]


def test_a_websocket_is_told_the_address_that_is_set(chatsdk_before: Callable[..., Any]) -> None:
    with chatsdk_before(CHATSDK_WS_URL="wss://chat.example/ws") as app:
        reply = call(app.sidecar.port, "GET", "/ws")

    assert (reply.status, "wss://chat.example/ws" in reply.json["error"]["message"]) == (501, True)
