"""Each refusal of a credential, and what a revocation ends."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from sandbox import API_KEY, API_SECRET, StreamSandbox
from tests.sandbox.client import CREDENTIALS, SERVER_TOKEN, Client, Told, request_bytes, with_key

OTHER_SECRET = "another-secret-of-more-than-32-characters"
KEY = f"api_key={API_KEY}"


def token(secret: str = API_SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode(claims, secret, algorithm)


def as_user(client: Client, method: str, target: str, document: Any = None, **claims: Any) -> Told:
    return client.call(method, target, document, Authorization=token(user_id="ann", **claims))


@pytest.mark.parametrize(
    "query", ["", "api_key=", "api_key=wrong", f"{KEY}&{KEY}", f"API_KEY={API_KEY}"]
)
def test_the_api_key_must_be_there_once_and_right(client: Client, query: str) -> None:
    assert client.send("GET", f"/app?{query}", b"", CREDENTIALS).refusal == (401, 2)


def test_an_encoded_name_is_the_same_name(client: Client) -> None:
    assert client.send("GET", f"/app?{KEY}&api%5fkey=x", b"", CREDENTIALS).refusal == (401, 2)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"stream-auth-type": "jwt"}, id="no token"),
        pytest.param({"stream-auth-type": "jwt", "Authorization": ""}, id="empty token"),
        pytest.param({"Authorization": SERVER_TOKEN}, id="no type"),
        pytest.param(
            {"Authorization": SERVER_TOKEN, "stream-auth-type": "anonymous"}, id="other type"
        ),
        pytest.param(
            {"Authorization": f"Bearer {SERVER_TOKEN}", "stream-auth-type": "jwt"}, id="bearer"
        ),
        pytest.param({"Authorization": "junk", "stream-auth-type": "jwt"}, id="junk"),
        pytest.param(
            {"Authorization": SERVER_TOKEN + ".x", "stream-auth-type": "jwt"}, id="four parts"
        ),
        pytest.param(
            {
                "Authorization": token(algorithm="HS384", server=True),
                "stream-auth-type": "jwt",
            },
            id="HS384",
        ),
        pytest.param(
            {"Authorization": token("", "none", server=True), "stream-auth-type": "jwt"}, id="none"
        ),
    ],
)
def test_no_authentication_is_code_5(client: Client, fields: dict[str, str]) -> None:
    assert client.send("GET", f"/app?{KEY}", b"", fields).refusal == (401, 5)


@pytest.mark.parametrize("name", ["Authorization", "stream-auth-type"])
def test_a_credential_given_twice_is_refused(client: Client, name: str) -> None:
    fields = {**CREDENTIALS, name.swapcase(): CREDENTIALS[name]}
    seen = client.see(request_bytes("GET", f"/app?{KEY}", fields), 0.3)

    assert seen.status == 401
    assert b'"code":5' in seen.body


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": -10}, 40),
        ({"exp": 0}, 40),
        ({"nbf": 60}, 41),
        ({"iat": 60}, 42),
    ],
)
def test_a_token_out_of_time_has_its_own_code(
    client: Client, claims: dict[str, int], code: int
) -> None:
    now = int(time.time())
    times = {name: now + offset for name, offset in claims.items()}

    assert as_user(client, "GET", "/users", **times).refusal == (401, code)


@pytest.mark.parametrize("claims", [{"exp": "soon"}, {"iat": [1]}, {"user_id": 7}, {"user_id": ""}])
def test_claims_have_their_types(client: Client, claims: dict[str, Any]) -> None:
    told = client.call("GET", "/users", Authorization=token(**claims))
    assert told.refusal == (401, 5)


def test_a_wrong_signature_is_code_43(client: Client) -> None:
    told = client.call("GET", "/app", Authorization=token(OTHER_SECRET, server=True))
    assert told.refusal == (401, 43)


def test_any_of_several_secrets_is_accepted() -> None:
    with StreamSandbox(api_secrets=[OTHER_SECRET, API_SECRET]) as stand_in:
        client = Client(stand_in)
        assert client.call("GET", "/app").status == 200
        told = client.call("GET", "/app", Authorization=token(OTHER_SECRET))
        assert told.status == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/app"), ("PATCH", "/app"), ("POST", "/users/delete"), ("GET", "/api/v2/app")],
)
def test_a_user_may_not_do_what_is_the_servers(
    client: Client, room: str, method: str, target: str
) -> None:
    assert as_user(client, method, target, {}).refusal == (403, 17)


def test_a_user_may_not_revoke_nor_change_others(client: Client, room: str) -> None:
    revoke = {"users": [{"id": "ann", "set": {"revoke_tokens_issued_before": None}}]}
    assert as_user(client, "PATCH", "/users", revoke).refusal == (403, 17)

    other = {"users": [{"id": "bob", "set": {"name": "Rob"}}]}
    assert as_user(client, "PATCH", "/users", other).refusal == (403, 17)


def test_a_user_acts_as_itself(client: Client, room: str) -> None:
    told = as_user(client, "POST", f"{room}/message", {"message": {"text": "hi", "user_id": "bob"}})
    assert told["message"]["user"]["id"] == "ann"


@pytest.fixture
def revoke(client: Client, room: str) -> Any:
    def change(before: str | None) -> Told:
        value = {"revoke_tokens_issued_before": before}
        return client.call("PATCH", "/users", {"users": [{"id": "ann", "set": value}]})

    return change


def test_revocation_ends_older_tokens_until_it_is_undone(client: Client, revoke: Any) -> None:
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=100)
    second = int(moment.timestamp())
    assert revoke(moment.isoformat()).status == 200

    assert as_user(client, "GET", "/users", iat=second - 1).refusal == (401, 40)
    assert as_user(client, "GET", "/users").refusal == (401, 40)
    assert as_user(client, "GET", "/users", iat=second).status == 200
    assert client.call("GET", "/app").status == 200

    revoke(None)
    assert as_user(client, "GET", "/users", iat=second - 1).status == 200
    assert as_user(client, "GET", "/users").status == 200


def test_one_users_revocation_leaves_the_others(client: Client, room: str) -> None:
    before = {"revoke_tokens_issued_before": datetime.now(UTC).isoformat()}
    client.call("PATCH", "/users", {"users": [{"id": "ann", "set": before}]})

    assert as_user(client, "GET", "/users").refusal == (401, 40)
    assert client.call("GET", "/users", Authorization=token(user_id="bob")).status == 200


def test_the_apps_revocation_ends_the_tokens_of_all_users_and_no_servers(
    client: Client, room: str
) -> None:
    second = int(datetime.now(UTC).timestamp()) - 100
    before = datetime.fromtimestamp(second, UTC).isoformat()
    assert client.call("PATCH", "/app", {"revoke_tokens_issued_before": before}).status == 200

    assert as_user(client, "GET", "/users", iat=second - 1).refusal == (401, 40)
    assert as_user(client, "GET", "/users").refusal == (401, 40)
    assert as_user(client, "GET", "/users", iat=second).status == 200
    assert client.call("GET", "/app")["app"]["revoke_tokens_issued_before"].startswith(before[:19])

    client.call("PATCH", "/app", {"revoke_tokens_issued_before": None})
    assert as_user(client, "GET", "/users", iat=second - 1).status == 200


@pytest.mark.parametrize("path", ["/guest", "/api/v2/guest"])
def test_a_guest_needs_no_token_and_gets_one(client: Client, path: str) -> None:
    fields = {"stream-auth-type": "anonymous"}
    body = json.dumps({"user": {"id": "tom", "name": "Tom"}}).encode()
    told = client.send("POST", with_key(path), body, fields)

    assert told.status == 201
    assert told["user"]["id"].endswith("-tom")
    assert (told["user"]["name"], told["user"]["role"]) == ("Tom", "guest")
    theirs = {"Authorization": told["access_token"]}
    assert client.call("GET", "/users", **theirs).status == 200
    assert client.call("GET", "/app", **theirs).refusal == (403, 17)


def test_an_upsert_replaces_what_is_there_and_a_change_keeps_it(client: Client) -> None:
    ann = {"id": "ann", "name": "Ann", "image": "https://a.example/1.png", "shoe": 38}
    client.call("POST", "/users", {"users": {"ann": ann}})
    change = {"users": [{"id": "ann", "set": {"name": "Anna"}}]}
    kept = client.call("PATCH", "/users", change)["users"]["ann"]
    replaced = client.call("POST", "/users", {"users": {"ann": {"id": "ann"}}})["users"]["ann"]

    assert (kept["name"], kept["image"], kept["shoe"]) == ("Anna", ann["image"], 38)
    assert not {"name", "image", "shoe"} & replaced.keys()


def test_a_time_that_is_none_is_refused(revoke: Any) -> None:
    assert revoke("yesterday").refusal == (400, 4)


def test_every_answer_tells_the_quota(client: Client) -> None:
    told = client.send("GET", with_key("/users"), b"", {})

    names = [name for name, _ in told.fields if name.lower().startswith("x-ratelimit")]
    assert names == ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
