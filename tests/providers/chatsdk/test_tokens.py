"""The life of tokens: checked, exchanged, revoked; each refusal with its own message."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.calls import Reply
from tests.canaries import CENTRIFUGO_SECRET
from tests.providers.chatsdk import claims
from tests.providers.chatsdk.conftest import App

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")


def refusal(reply: Reply) -> str:
    assert reply.status == 401, reply.json
    message: str = reply.json["error"]["message"]
    return message


def test_a_token_is_validated_with_its_payload_and_user(app: App) -> None:
    token = app.tokens("valid", name="Valid")["token"]
    reply = app.validate(token)
    payload = reply.json["payload"]

    assert (reply.status, reply.json["valid"]) == (200, True)
    assert (payload["userId"], payload["appId"]) == ("valid", "default")
    assert ISO.fullmatch(payload["issuedAt"])
    assert ISO.fullmatch(payload["expiresAt"])
    assert reply.json["user"] == {"id": "valid", "name": "Valid", "image": None}


def test_a_ws_token_is_validated_without_a_user(app: App) -> None:
    reply = app.validate_ws(app.tokens("valid")["wsToken"])

    assert (reply.status, reply.json["valid"]) == (200, True)
    assert sorted(reply.json) == ["payload", "valid"]


def test_a_token_of_the_same_secret_made_elsewhere_is_good(app: App) -> None:
    reply = app.validate(claims.made("only-known-there"))

    assert (reply.status, reply.json["user"]["id"]) == (200, "only-known-there")


@pytest.mark.parametrize("shown", ["validate", "validate_ws", "refresh", "api"])
def test_whoever_made_it_a_token_that_passed_here_can_be_revoked(app: App, shown: str) -> None:
    user_id = f"met-by-{shown}"
    token, ws_token = claims.made(user_id), claims.made_ws(user_id)
    {
        "validate": lambda: app.validate(token),
        "validate_ws": lambda: app.validate_ws(ws_token),
        "refresh": lambda: app.refresh(token),
        "api": lambda: app.bearing(token, "GET", "/api/channels"),
    }[shown]()

    assert app.revoke(user_id).status == 200
    assert refusal(app.validate(token)) == "Token revoked"
    assert refusal(app.validate_ws(ws_token)) == "WebSocket token revoked"


OUT_OF_TIME = {"iat": 1, "exp": 2}
REFUSED: dict[str, tuple[str, str]] = {
    "expired": (claims.made("a", **OUT_OF_TIME), "Token expired"),
    "forged": (claims.made("a", "another-secret-of-at-least-32-bytes!"), "Invalid token signature"),
    "of an unknown app": (claims.made("a", app_id="nowhere"), "Token app mismatch"),
    "without an app": (claims.made("a", app_id=None), "Invalid token"),
    "without a user": (claims.made("a", user_id=None), "Invalid token"),
    "without an end": (claims.made("a", exp=None), "Invalid token"),
    "without a beginning": (claims.made("a", iat=None), "Invalid token"),
    "from the future": (claims.made("a", iat=int(time.time()) + 7200), "Invalid token"),
    "with a number for an id": (claims.made("a", jti=7), "Invalid token"),
    "of a very long user": (claims.made("x" * 300), "Invalid token"),
    "of a user with NUL": (claims.made("a\0b"), "Invalid token"),
    "with a time beyond all": (claims.made("a", exp=10**400), "Invalid token"),
    "no token": ("junk", "Invalid token"),
    "a ws token": (claims.made_ws("a"), "Invalid token signature"),
    "a ws token's claims": (claims.made("a", user_id=None, sub="a"), "Invalid token"),
}


@pytest.mark.parametrize(("token", "message"), REFUSED.values(), ids=REFUSED)
def test_a_bad_token_is_refused_with_its_reason(app: App, token: str, message: str) -> None:
    reply = app.validate(token)

    assert refusal(reply) == message
    assert reply.json["valid"] is False
    assert reply.json["error"]["hint"]
    assert refusal(app.refresh(token)) == ("Token expired" if "expired" in message else message)
    assert refusal(app.bearing(token, "GET", "/api/channels")) == message


REFUSED_WS: dict[str, tuple[str, str]] = {
    "expired": (claims.made_ws("a", **OUT_OF_TIME), "WebSocket token expired"),
    "forged": (claims.made("a", "another-secret-of-at-least-32-bytes!"), "Invalid WebSocket token"),
    "of an unknown app": (claims.made_ws("a", app_id="nowhere"), "Token app mismatch"),
    "without a user": (claims.made_ws("a", sub=None), "Invalid WebSocket token"),
    "no token": ("junk", "Invalid WebSocket token"),
    "a rest token": (claims.made("a"), "Invalid WebSocket token"),
    "a rest token's claims": (claims.made("a", CENTRIFUGO_SECRET), "Invalid WebSocket token"),
}


@pytest.mark.parametrize(("token", "message"), REFUSED_WS.values(), ids=REFUSED_WS)
def test_a_bad_ws_token_is_refused_with_its_reason(app: App, token: str, message: str) -> None:
    assert refusal(app.validate_ws(token)) == message


def test_a_refresh_gives_new_tokens_that_count(app: App) -> None:
    old = app.tokens("fresh")
    reply = app.refresh(old["token"])

    assert reply.status == 200
    assert sorted(reply.json) == ["expiresIn", "token", "wsToken"]
    assert app.validate(reply.json["token"]).status == 200
    assert app.validate_ws(reply.json["wsToken"]).status == 200
    assert claims.of(reply.json["token"])["jti"] != claims.of(old["token"])["jti"]


@pytest.mark.parametrize(("ago", "status"), [(3600, 200), (86400 - 5, 200), (86400 + 1, 401)])
def test_a_token_expired_within_the_grace_is_exchanged(app: App, ago: int, status: int) -> None:
    now = int(time.time())
    token = claims.made("late", iat=now - ago - 600, exp=now - ago)

    assert app.refresh(token).status == status
    assert app.validate(token).status == 401


def test_a_ws_token_is_not_exchanged(app: App) -> None:
    assert refusal(app.refresh(app.tokens("a")["wsToken"])) == "Invalid token signature"


def test_a_revocation_ends_every_token_of_the_user_and_no_other(app: App) -> None:
    other = app.tokens("bystander")["token"]
    one, two = app.tokens("revoked"), app.tokens("revoked")
    reply = app.revoke("revoked", {"reason": "left the company"})

    assert (reply.status, reply.json) == (200, {"success": True, "revokedUserId": "revoked"})
    assert refusal(app.validate(one["token"])) == "Token revoked"
    assert refusal(app.validate_ws(two["wsToken"])) == "WebSocket token revoked"
    assert refusal(app.refresh(two["token"])) == "Token revoked"
    assert refusal(app.bearing(one["token"], "GET", "/api/x")) == "Token revoked"
    assert app.validate(other).status == 200


def test_a_token_issued_after_a_revocation_counts_at_once(app: App) -> None:
    """Though its `iat` lies before the revocation."""
    app.tokens("back")
    assert app.revoke("back").status == 200
    token = app.tokens("back")["token"]

    assert claims.of(token)["iat"] < time.time() - 4
    assert app.validate(token).status == 200


def test_a_token_made_elsewhere_ends_with_a_revocation_too(app: App) -> None:
    app.tokens("elsewhere")
    token = claims.made("elsewhere")
    assert app.revoke("elsewhere").status == 200

    assert refusal(app.validate(token)) == "Token revoked"
    assert app.validate(claims.made("elsewhere", iat=int(time.time()) + 2)).status == 200


def test_an_unknown_user_cannot_be_revoked(app: App) -> None:
    reply = app.revoke("never-seen")

    assert (reply.status, reply.json["error"]["message"]) == (404, "User not found")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 200),
        ({}, 200),
        ({"reason": "x" * 255}, 200),
        ({"reason": "x" * 256}, 400),
        ({"reason": 7}, 400),
        ([], 400),
        (b"{", 400),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_revocation_may_have_a_reason(app: App, body: Any, status: int) -> None:
    app.tokens("reasons")

    assert app.revoke("reasons", body).status == status


def test_a_key_beside_the_token_must_be_of_its_app(app: App) -> None:
    other = app.another_app("Second")
    token = app.tokens("a")["token"]

    assert app.validate(token, f"X-API-Key: {app.key}").status == 200
    assert refusal(app.validate(token, f"X-API-Key: {other.key}")) == "Token app mismatch"
    assert app.validate(token, "X-API-Key: the-servers-own").status == 200


def test_the_users_of_two_apps_are_apart(app: App) -> None:
    other = app.another_app("Third")
    mine, theirs = app.tokens("same", name="Mine"), other.tokens("same", name="Theirs")
    assert claims.of(theirs["token"])["app_id"] == other.id
    assert app.user("same").json["user"]["name"] == "Mine"

    assert other.revoke("same").status == 200

    assert refusal(app.validate(theirs["token"])) == "Token revoked"
    assert app.validate(mine["token"]).status == 200


def test_a_deleted_user_is_forgotten_and_its_tokens_end(app: App) -> None:
    token = app.tokens("gone", name="Gone", custom={"a": 1})["token"]
    reply = app.ask("DELETE", "/api/users/gone")

    assert (reply.status, reply.json) == (200, {"success": True, "anonymizedUserId": "gone"})
    assert refusal(app.validate(token)) == "Token revoked"
    assert app.user("gone").status == 404
    assert app.ask("DELETE", "/api/users/gone").status == 404
    assert refusal(app.validate(claims.made("gone"))) == "Token revoked"


def test_a_deleted_user_who_comes_back_has_new_tokens_only(app: App) -> None:
    old = app.tokens("returned", name="Old")["token"]
    app.ask("DELETE", "/api/users/returned")
    new = app.tokens("returned")["token"]

    assert app.validate(new).json["user"] == {"id": "returned", "name": None, "image": None}
    assert refusal(app.validate(old)) == "Token revoked"


def test_ensure_makes_changes_and_leaves_alone(app: App) -> None:
    body: dict[str, Any] = {"userId": "ensured", "name": "One"}
    replies = [app.ask("POST", "/api/users/ensure", body=body) for _ in range(2)]
    replies.append(app.ask("POST", "/api/users/ensure", body=body | {"name": "Two"}))

    assert [(reply.status, reply.json["action"]) for reply in replies] == [
        (201, "created"),
        (200, "existing"),
        (200, "updated"),
    ]
    assert [reply.json["created"] for reply in replies] == [True, False, False]
    assert replies[-1].json["user"] == {"id": "ensured", "name": "Two", "custom": {}}


def test_ensure_names_faults_in_the_same_shape(app: App) -> None:
    reply = app.ask("POST", "/api/users/ensure", body={"userId": ""})

    assert (reply.status, reply.json["success"]) == (400, False)


def test_a_user_is_shown_with_its_metadata(app: App) -> None:
    app.tokens("shown", name="Shown", email="s@example.com", custom={"a": [1, {"b": "ü"}]})

    assert app.user("shown").json["user"] == {
        "id": "shown", "name": "Shown", "email": "s@example.com", "custom": {"a": [1, {"b": "ü"}]}
    }  # fmt: skip
    assert app.user("never-seen").status == 404
    assert app.ask("GET", "/api/users/%ff").status == 400


def test_of_many_uses_of_a_refresh_token_at_once_one_counts(app: App) -> None:
    made = app.ask("POST", "/api/auth/connect", body={"userId": "at-once"}).json
    first = app.bearing(made["refreshToken"], "POST", "/api/auth/refresh")
    assert first.status == 200, first.json
    assert app.validate(first.json["token"]).status == 200

    def renew(_: int) -> int:
        return app.bearing(first.json["refreshToken"], "POST", "/api/auth/refresh").status

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(renew, range(8))) == [200] + [401] * 7

    # One of them was a thief, who may have been the first.
    assert refusal(app.validate(first.json["token"])) == "Token revoked"
