"""`POST /tokens`: the guide's request and answer, and what it leaves behind."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from tests import commands
from tests.calls import Reply, segment
from tests.providers.chatsdk import claims
from tests.providers.chatsdk.conftest import App

AVATAR = "https://cdn.example.com/a.png?size=64&round=1"


def test_the_guides_request_gets_the_guides_answer(app: App) -> None:
    custom = {"department": "Engineering", "role": "Senior Developer"}
    reply = app.issue("user-123", name="Alice Johnson", image=AVATAR, custom=custom)

    assert reply.status == 200
    assert reply.header("Cache-Control") == "no-store"
    assert list(reply.json) == ["token", "wsToken", "expiresIn", "user"]
    assert reply.json["user"] == {"id": "user-123", "name": "Alice Johnson", "image": AVATAR}
    assert reply.json["expiresIn"] == 86400


def test_the_token_has_the_claims_of_generation_a_and_an_id(app: App) -> None:
    before = int(time.time())
    token = app.tokens("claims")["token"]
    found = claims.of(token)

    assert set(found) == {"user_id", "app_id", "iat", "exp", "jti", "token_version"}
    assert (found["user_id"], found["app_id"]) == ("claims", "default")
    assert before - 6 <= found["iat"] <= time.time() - 4
    assert before + 86400 <= found["exp"] <= time.time() + 86400
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


def test_the_ws_token_names_the_user_in_sub_and_has_another_secret(app: App) -> None:
    answer = app.tokens("claims")
    found = claims.of_ws(answer["wsToken"])

    assert set(found) == {"sub", "app_id", "iat", "exp", "jti", "token_version"}
    assert found["sub"] == "claims"
    assert found["jti"] == claims.of(answer["token"])["jti"]


def test_two_tokens_of_a_user_have_two_ids(app: App) -> None:
    ids = {claims.of(app.tokens("twice")["token"])["jti"] for _ in range(2)}

    assert len(ids) == 2


@pytest.mark.parametrize("nothing", [None, ""], ids=["null", "empty"])
def test_an_optional_field_that_holds_nothing_counts_as_absent(app: App, nothing: Any) -> None:
    app.tokens("kept", name="Kept", image=AVATAR, email="k@example.com", custom={"a": 1})
    reply = app.issue("kept", name=nothing, image=nothing, email=nothing, custom=nothing)

    assert reply.status == 200
    assert reply.json["user"] == {"id": "kept"}
    assert app.user("kept").json["user"] == {
        "id": "kept", "name": "Kept", "image": AVATAR, "email": "k@example.com", "custom": {"a": 1}
    }  # fmt: skip


def test_custom_is_merged_and_left_alone_when_absent(app: App) -> None:
    app.tokens("merged", custom={"a": 1, "b": {"x": 1}})
    app.tokens("merged", custom={"b": {"y": 2}, "c": None})
    app.tokens("merged", name="No custom here")

    assert app.user("merged").json["user"]["custom"] == {"a": 1, "b": {"y": 2}, "c": None}


def test_unknown_fields_are_ignored(app: App) -> None:
    reply = app.issue("unknown", role="admin", app_id="other", appId="other", exp=1)

    assert reply.status == 200
    assert claims.of(reply.json["token"])["app_id"] == "default"


def test_many_at_once_for_a_new_user_make_one(app: App) -> None:
    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda _: app.issue("at-once", name="One"), range(40)))

    assert {reply.status for reply in replies} == {200}
    versions = {claims.of(one.json["token"])["token_version"] for one in replies}
    assert versions == {0}
    assert app.user("at-once").json["user"]["name"] == "One"


@pytest.mark.parametrize(
    "user_id",
    [
        "a",
        " ",
        "x" * 255,
        "ユーザー",
        "пользователь",
        "مستخدم",
        "e\u0301",
        "👩‍👩‍👧",
        "a/b?c#d%e",
        "...",
        "john.doe",
        "%00",
        "a%5cb",
        "DOMAIN\\alice",
        "a\x7fb",
        "?",
        "'; DROP TABLE users; --",
        "a\nb\tc",
        "ensure",
        "x/revoke-tokens",
        "<script>alert(1)</script>",
        "${jndi:ldap://x}",
    ],
    ids=ascii,
)
def test_a_user_id_of_any_script_is_kept_as_it_is(app: App, user_id: str) -> None:
    answer = app.tokens(user_id, name=user_id, custom={user_id: user_id})

    assert answer["user"] == {"id": user_id, "name": user_id}
    assert claims.of(answer["token"])["user_id"] == user_id
    assert app.validate(answer["token"]).json["user"]["id"] == user_id
    assert app.user(user_id).json["user"]["id"] == user_id
    assert app.revoke(user_id).status == 200
    assert app.validate(answer["token"]).status == 401
    assert app.ask("DELETE", f"/api/users/{segment(user_id)}").status == 200
    assert app.user(user_id).status == 404


@pytest.mark.parametrize("user_id", [".", "..", "..;x", "a/../b", "a\\..", "%2e%2e%2f"])
def test_an_id_that_no_path_may_hold_is_revoked_by_the_command(app: App, user_id: str) -> None:
    token = app.tokens(user_id)["token"]

    assert app.user(user_id).status == 400
    assert app.revoke(user_id).status == 400
    assert app.ask("DELETE", f"/api/users/{segment(user_id)}").status == 400
    assert app.validate(token).status == 200

    commands.answer(app.sidecar.environ, "tokens", "revoke", "--user", user_id)
    assert app.validate(token).status == 401


def test_sql_in_every_field_stays_text(app: App) -> None:
    sql = "x'); DELETE FROM users WHERE ('1'='1"
    app.tokens("bystander", name="Here")
    app.tokens(sql, name=sql, image=f"https://x/?{sql.replace(' ', '+')}", custom={sql: [sql]})

    assert app.user("bystander").json["user"]["name"] == "Here"
    assert app.ask("GET", "/api/users/" + "x%27%29%3B").status == 404


def issues_of(reply: Reply) -> list[tuple[list[Any], str, str]]:
    assert reply.status == 400
    assert reply.json["success"] is False
    assert reply.json["error"]["name"] == "ZodError"
    return [(one["path"], one["code"], one["message"]) for one in reply.json["error"]["issues"]]


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        ({}, (["userId"], "invalid_type", "Required")),
        ({"userId": None}, (["userId"], "invalid_type", "Expected string")),
        ({"userId": 7}, (["userId"], "invalid_type", "Expected string")),
        ({"userId": True}, (["userId"], "invalid_type", "Expected string")),
        ({"userId": ["a"]}, (["userId"], "invalid_type", "Expected string")),
        ({"userId": {"a": 1}}, (["userId"], "invalid_type", "Expected string")),
        ({"userId": ""}, (["userId"], "too_small", "Too short")),
        ({"userId": "x" * 256}, (["userId"], "too_big", "Too long")),
        ({"userId": "a\0b"}, (["userId"], "custom", "Invalid characters")),
        ({"userId": "a\ud800b"}, (["userId"], "custom", "Invalid characters")),
        ({"userId": "a", "name": 7}, (["name"], "invalid_type", "Expected string")),
        ({"userId": "a", "name": "\0"}, (["name"], "custom", "Invalid characters")),
        ({"userId": "a", "name": "x" * 2000}, (["name"], "too_big", "Too long")),
        ({"userId": "a", "image": "no url"}, (["image"], "invalid_string", "Invalid url")),
        ({"userId": "a", "image": "/a.png"}, (["image"], "invalid_string", "Invalid url")),
        ({"userId": "a", "image": "http://["}, (["image"], "invalid_string", "Invalid url")),
        ({"userId": "a", "image": 7}, (["image"], "invalid_type", "Expected string")),
        ({"userId": "a", "email": "nobody"}, (["email"], "invalid_string", "Invalid email")),
        ({"userId": "a", "custom": []}, (["custom"], "invalid_type", "Expected object")),
        ({"userId": "a", "custom": "x"}, (["custom"], "invalid_type", "Expected object")),
        ({"userId": "a", "custom": {"k": "\udc00"}}, (["custom"], "custom", "Invalid characters")),
        ([], ([], "invalid_type", "Expected object")),
        ("a", ([], "invalid_type", "Expected object")),
        (7, ([], "invalid_type", "Expected object")),
    ],
    ids=ascii,
)
def test_a_fault_in_the_body_is_named(app: App, body: Any, issue: tuple[Any, ...]) -> None:
    assert issue in issues_of(app.ask("POST", "/tokens", body=body))


@pytest.mark.parametrize(
    ("field", "text"),
    [("email", "a@" + "a." * 100_000), ("image", "no url" * 30_000), ("userId", "\ud800" * 30_000)],
    ids=["email", "image", "userId"],
)
def test_a_long_text_is_too_long_and_not_looked_at(app: App, field: str, text: str) -> None:
    body = {"userId": "a"} | {field: text}

    assert issues_of(app.ask("POST", "/tokens", body=body)) == [([field], "too_big", "Too long")]


def test_every_fault_is_named_at_once(app: App) -> None:
    body = {"name": 1, "image": 2, "email": 3, "custom": 4}

    assert len(issues_of(app.ask("POST", "/tokens", body=body))) == 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"userId=a",
        b'{"userId": "a", "userId": "b"}',
        b'{"userId": "a", "custom": {"x": 1, "x": 2}}',
        b'{"userId": "a", "custom": {"x": 1e999}}',
        b'{"userId": "a", "custom": {"x": NaN}}',
        b'\xff\xfe{"userId": "a"}',
    ],
    ids=lambda body: repr(body[:32]),
)
def test_what_is_no_plain_json_is_refused(app: App, body: bytes) -> None:
    reply = app.ask("POST", "/tokens", body=body)

    assert (reply.status, reply.json) == (
        400,
        {"error": {"message": "Malformed JSON in request body"}},
    )


@pytest.mark.parametrize(
    ("custom", "limit"),
    [
        (b"[" * 200 + b"]" * 200, "nested more than 64 levels deep"),
        (b'{"a":' * 9_000 + b"1" + b"}" * 9_000, "nested more than 64 levels deep"),
        (b'{"a":' * 30_000 + b"1" + b"}" * 30_000, "more than 10000 objects and lists"),
        (b"[" + b"1," * 50_001 + b"1]", "more than 50000 commas between values"),
    ],
    ids=["lists", "objects", "containers", "values"],
)
def test_json_beyond_a_limit_is_refused_with_the_limit(app: App, custom: bytes, limit: str) -> None:
    reply = app.ask("POST", "/tokens", body=b'{"userId": "a", "custom": ' + custom + b"}")

    assert (reply.status, reply.json) == (
        400,
        {"error": {"message": f"Malformed JSON in request body: {limit}"}},
    )


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_another_content_type_counts_as_an_empty_object(app: App, content_type: str) -> None:
    field = f"Content-Type: {content_type}"
    reply = app.ask("POST", "/tokens", field, body={"userId": "a"})

    assert issues_of(reply) == [(["userId"], "invalid_type", "Required")]


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"],
)
def test_every_json_content_type_is_read(app: App, content_type: str) -> None:
    assert (
        app.ask("POST", "/tokens", f"Content-Type: {content_type}", body={"userId": "a"}).status
        == 200
    )


@pytest.mark.parametrize("size", [256 * 1024, 1024 * 1024, 4 * 1024 * 1024])
def test_a_body_far_above_its_bound_is_refused(app: App, size: int) -> None:
    reply = app.issue("large", custom={"x": "y" * size})

    assert reply.status == 413
    assert list(reply.json) == ["error"]


def test_metadata_beyond_its_bound_is_refused_and_nothing_is_kept(app: App) -> None:
    app.tokens("grown", custom={"a": 1})
    reply = app.issue("grown", custom={"x": "y" * 70_000})

    assert issues_of(reply) == [(["custom"], "too_big", "Too long")]
    assert app.user("grown").json["user"]["custom"] == {"a": 1}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_405_in_the_same_dialect(app: App, method: str) -> None:
    reply = app.ask(method, "/tokens")

    assert (reply.status, reply.header("Allow")) == (405, "POST")
    assert method == "HEAD" or list(reply.json["error"]) == ["message"]
