"""`/rest/v1/auth`: issue, verify, invalidate."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from chatproxy import settings
from chatproxy.identity.directory import Directory
from chatproxy.services import Clock
from tests.calls import Reply, call
from tests.canaries import JWT_SECRET
from tests.providers.performchat.conftest import Company

NOT_FOUND = "Customer user not found or does not belong to your company"


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, JWT_SECRET, algorithms=["HS256"])
    return found


def made(company: Company, user_id: str, secret: str = JWT_SECRET, **changes: Any) -> str:
    """A token as somebody with the secret makes it; None leaves a claim out."""
    claims = claims_of(company.token(user_id)["token"]) | changes
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, secret, "HS256")


def refused(reply: Reply, status: int) -> str:
    assert (reply.status, reply.json["statusCode"]) == (status, status), reply.json
    assert list(reply.json) == ["statusCode", "message", "error"]
    message: str = reply.json["message"]
    return message


def forget(company: Company, user_id: str) -> None:
    """Delete a user in the directory; PerformChat has no call for it."""
    found = settings.load_for_commands(company.sidecar.environ)
    assert found.directory is not None
    clock = Clock()
    directory = Directory(found.directory.url, [], now=clock.now, monotonic=clock.monotonic)

    with contextlib.closing(directory):
        directory.users.delete("default", user_id)


def test_a_token_is_answered_in_both_documented_shapes(company: Company) -> None:
    reply = company.issue("user_123", agentId="a1", expiresIn="1h")
    user = reply.json["user"]

    assert reply.status == 200
    assert sorted(reply.json) == ["agent", "apiKey", "customerUser", "token", "user"]
    assert reply.json["customerUser"] == user
    assert (user["externalId"], user["companyId"], user["agentId"]) == ("user_123", "default", "a1")
    assert reply.json["agent"] == {"id": "a1", "name": "Support", "active": True}
    assert reply.json["apiKey"]["id"] == company.key["keyId"]
    assert reply.header("Cache-Control") == "no-store"


def test_the_token_names_user_company_agent_and_version(company: Company) -> None:
    answer = company.token("claims", expiresIn="90s")
    claims = claims_of(answer["token"])

    assert claims["sub"] == answer["user"]["id"]
    assert (claims["companyId"], claims["agentId"], claims["tokenVersion"]) == ("default", "a1", 0)
    assert time.time() + 88 <= claims["exp"] <= time.time() + 91
    assert claims["iat"] <= time.time() - 4


def test_the_internal_id_is_stable(company: Company) -> None:
    ids = {company.token("stable")["user"]["id"] for _ in range(3)}

    assert len(ids) == 1


@pytest.mark.parametrize("agent", [{}, {"agentId": None}], ids=["absent", "null"])
def test_without_an_agent_the_active_one_is_taken(company: Company, agent: dict[str, None]) -> None:
    assert company.token("any-agent", **agent)["agent"]["id"] == "a1"


@pytest.mark.parametrize("agent_id", ["nobody", "", "x" * 65, 7, ["a1"]])
def test_another_agent_is_400(company: Company, agent_id: Any) -> None:
    refused(company.issue("a", agentId=agent_id), 400)


def test_without_an_active_agent_the_documented_400(
    performchat_before: Callable[..., Any],
) -> None:
    with performchat_before() as alone:
        token = alone.token("a")["token"]
        alone.run("agents", "deactivate", "a1")

        assert refused(alone.issue("a"), 400) == "No active agents found"
        assert refused(alone.issue("a", agentId="a1"), 400) == "Agent not found or inactive"
        assert refused(alone.verify(token), 401) == "Agent is not active"


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("90s", 90), ("15m", 900), ("24h", 86400), ("30d", 2592000)]
)
def test_a_life_is_what_was_asked_for(company: Company, text: str, seconds: int) -> None:
    claims = claims_of(company.token("life", expiresIn=text)["token"])

    assert abs(claims["exp"] - time.time() - seconds) < 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0s",
        "0d",
        "-1h",
        "1w",
        "1.5h",
        "24H",
        " 1h",
        "1h ",
        "1 h",
        "1h30m",
        "24",
        "h",
        "999999999d",
        "31d",
        "٢٤h",
        "１h",
        "1e3s",
        None,
        24,
        ["1h"],
        {"h": 1},
        True,
    ],
    ids=repr,
)
def test_any_other_life_is_400_and_never_cut(company: Company, text: Any) -> None:
    refused(company.issue("life", expiresIn=text), 400)


@pytest.mark.parametrize(
    "user_id", [None, "", 7, True, [], {}, "x" * 256, "a\0b", "a\ud800"], ids=ascii
)
def test_another_user_id_is_400(company: Company, user_id: Any) -> None:
    refused(company.issue(user_id), 400)


@pytest.mark.parametrize(
    "user_id", ["ユーザー", "DOMAIN\\alice", "a/b", "👩‍👩‍👧", "'; DROP TABLE users; --"]
)
def test_a_user_id_of_any_script_is_kept(company: Company, user_id: str) -> None:
    answer = company.token(user_id)

    assert answer["user"]["externalId"] == user_id
    assert company.verify(answer["token"]).status == 200


@pytest.mark.parametrize(
    "credentials",
    [
        {"keyId": None},
        {"keySecret": None},
        {"keyId": 7},
        {"keySecret": ["x"]},
        {"keyId": ""},
        {"keySecret": "sk_wrong"},
        {"keyId": "pk_wrong"},
        {"keyId": "é", "keySecret": "\ud800"},
        {"keyId": "pk_x.sk_y"},
        {"keyId": "x" * 5000},
    ],
    ids=ascii,
)
def test_bad_credentials_are_401(company: Company, credentials: dict[str, Any]) -> None:
    body = {"userId": "a", **credentials}

    assert refused(company.ask("POST", "/auth/token", body=body), 401) == "Invalid API credentials"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"userId":"a","userId":"b"}'])
def test_what_is_no_object_is_refused(company: Company, body: bytes) -> None:
    reply = call(company.sidecar.port, "POST", "/rest/v1/auth/token", body=body)

    assert reply.status in (400, 401)
    assert list(reply.json) == ["statusCode", "message", "error"]


def test_an_expired_key_is_told_so(company: Company) -> None:
    key = company.run("keys", "create", "short", "--expires", "1s")
    time.sleep(1.1)
    expired = Company(company.sidecar, key, company.agent)

    assert refused(expired.issue("a"), 401) == "API key has expired"


def test_verify_answers_the_claims(company: Company) -> None:
    token = company.token("verified")["token"]
    reply = company.verify(token)

    assert (reply.status, reply.json) == (200, claims_of(token))


def test_a_token_may_stand_in_the_body_or_in_both_places(company: Company) -> None:
    token, other = company.token("places")["token"], company.token("places")["token"]
    place = ("POST", "/rest/v1/auth/verify")
    port, field = company.sidecar.port, f"Authorization: Bearer {token}"

    assert call(port, *place, body={"token": token}).status == 200
    assert call(port, *place, field, body={"token": token}).status == 200
    refused(call(port, *place, field, body={"token": other}), 400)
    refused(call(port, *place, body={"token": 7}), 400)
    assert refused(call(port, *place, body={"token": ""}), 401) == "Missing token"
    assert refused(call(port, *place), 401) == "Missing token"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exp": 2, "iat": 1}, "Token expired"),
        ({"sub": "nobody"}, "Customer user not found"),
        ({"tokenVersion": 7, "jti": None}, "Token has been invalidated"),
        ({"companyId": "another"}, "Company mismatch"),
        ({"companyId": "another", "sub": "nobody"}, "Customer user not found"),
        ({"companyId": "another", "tokenVersion": 7}, "Token has been invalidated"),
        ({"companyId": "another", "agentId": "nobody"}, "Company mismatch"),
        ({"agentId": "nobody"}, "Agent is not active"),
        ({"tokenVersion": "0"}, "Invalid token"),
        ({"tokenVersion": True}, "Invalid token"),
        ({"tokenVersion": None}, "Invalid token"),
        ({"agentId": None}, "Invalid token"),
        ({"sub": 7}, "Invalid token"),
    ],
    ids=str,
)
def test_a_bad_token_is_refused_in_the_documented_order(
    company: Company, changes: dict[str, Any], message: str
) -> None:
    if "sub" in changes and isinstance(changes["sub"], int):
        changes = changes | {"sub": str(changes["sub"]), "companyId": 7}

    assert refused(company.verify(made(company, "bad", **changes)), 401) == message


def test_a_forged_token_is_refused(company: Company) -> None:
    forged = made(company, "bad", "another-secret-of-at-least-32-bytes!")

    assert refused(company.verify(forged), 401) == "Invalid token signature"


def test_an_invalidation_ends_every_older_token_and_no_other(company: Company) -> None:
    other = company.token("bystander")["token"]
    one, two = company.token("ended"), company.token("ended")
    reply = company.invalidate(one["user"]["id"])

    assert (reply.status, reply.json) == (
        200,
        {
            "message": "All tokens invalidated successfully",
            "customerUserId": one["user"]["id"],
            "newTokenVersion": 1,
        },
    )
    for answer in (one, two):
        assert refused(company.verify(answer["token"]), 401) == "Token has been invalidated"

    new = company.token("ended")["token"]
    assert claims_of(new)["tokenVersion"] == 1
    assert [company.verify(token).status for token in (new, other)] == [200, 200]


@pytest.mark.parametrize("user_id", ["nobody", "user_123", ""])
def test_only_an_internal_id_can_be_invalidated(company: Company, user_id: str) -> None:
    company.token("user_123")

    assert refused(company.invalidate(user_id), 400) == NOT_FOUND


@pytest.mark.parametrize("user_id", [None, 7, ["x"]], ids=repr)
def test_an_invalidation_needs_a_text(company: Company, user_id: Any) -> None:
    refused(company.invalidate(user_id), 400)


def test_a_deleted_users_token_is_of_nobody(company: Company) -> None:
    answer = company.token("deleted")
    forget(company, "deleted")

    assert refused(company.verify(answer["token"]), 401) == "Customer user not found"
    assert refused(company.invalidate(answer["user"]["id"]), 400) == NOT_FOUND
    body = {"name": "Back"}
    path = f"/customer-users/{answer['user']['id']}"
    assert company.ask("PUT", path, body=body).status == 404


def test_the_tokens_of_a_company_can_be_ended_at_once(company: Company) -> None:
    app = company.run("apps", "create", "Ended")["id"]
    company.run("agents", "create", "Agent", "--id", "a1", "--app", app)
    other = Company(company.sidecar, company.run("keys", "create", "k", "--app", app), {})
    token = other.token("a")["token"]

    company.run("tokens", "revoke", "--all", "--app", app)

    assert refused(company.verify(token), 401) == "Token has been invalidated"


@pytest.mark.parametrize("halves", ["client key", "halves divided elsewhere", "revoked key"])
def test_another_kind_of_key_is_refused(company: Company, halves: str) -> None:
    if halves == "client key":
        text = company.run("keys", "create", "page", "--kind", "client")["clientKey"]
        key = dict(zip(("keyId", "keySecret"), text.split(".", 1), strict=True))
    elif halves == "revoked key":
        key = company.run("keys", "create", "ended")
        company.run("keys", "revoke", key["keyId"])
    else:
        first, _, rest = company.key["apiKey"].rpartition(".")
        key = {"keyId": first, "keySecret": rest}

    reply = Company(company.sidecar, key, {}).issue("a")

    assert refused(reply, 401) == "Invalid API credentials"


def test_a_request_refused_for_its_agent_is_not_counted(
    performchat_before: Callable[..., Any],
) -> None:
    with performchat_before(PERFORMCHAT_TOKEN_RATE_LIMIT="2 per minute") as company:
        assert [company.issue("a", agentId="nobody").status for _ in range(3)] == [400] * 3
        assert [company.issue("a").status for _ in range(3)] == [200, 200, 429]


def test_a_forged_token_that_comes_again_ends_in_429(
    performchat_before: Callable[..., Any],
) -> None:
    with performchat_before(AUTH_FAILURE_LIMIT="2 per minute") as company:
        forged = made(company, "a", "another-secret-of-at-least-32-bytes!")

        assert [company.verify(forged).status for _ in range(3)] == [401, 401, 429]


def test_guesses_with_made_up_ids_are_counted_for_the_address(
    performchat_before: Callable[..., Any],
) -> None:
    with performchat_before(AUTH_FAILURE_LIMIT="2 per minute") as company:
        guesses = [{"keyId": f"pk_{n}", "keySecret": "sk_x"} for n in range(3)]
        statuses = [Company(company.sidecar, key, {}).issue("a").status for key in guesses]

        assert statuses == [401, 401, 429]
        assert company.issue("a").status == 200


def test_below_a_prefix_all_is_found(performchat_before: Callable[..., Any]) -> None:
    with performchat_before(SERVICE_PREFIX="/chat") as company:
        body = {**company.key, "userId": "a"}
        found = call(company.sidecar.port, "POST", "/chat/rest/v1/auth/token", body=body)
        lost = call(company.sidecar.port, "POST", "/rest/v1/auth/token", body=body)

    assert (found.status, lost.status) == (200, 404)


def test_another_companys_user_cannot_be_invalidated(company: Company) -> None:
    app = company.run("apps", "create", "Other")["id"]
    key = company.run("keys", "create", "other", "--app", app)
    answer = company.token("mine")

    assert refused(Company(company.sidecar, key, {}).invalidate(answer["user"]["id"]), 400)
    assert company.verify(answer["token"]).status == 200


def test_every_worker_knows_at_once(performchat_before: Callable[..., Any]) -> None:
    with performchat_before(WORKERS="3") as company:
        answer = company.token("everywhere")
        assert {company.verify(answer["token"]).status for _ in range(20)} == {200}

        company.invalidate(answer["user"]["id"])

        assert {company.verify(answer["token"]).status for _ in range(20)} == {401}


def test_tokens_are_limited_by_key_and_failures_by_key(
    performchat_before: Callable[..., Any],
) -> None:
    limits = {
        "PERFORMCHAT_TOKEN_RATE_LIMIT": "3 per minute",
        "AUTH_FAILURE_LIMIT": "2 per 5 minutes",
    }

    with performchat_before(**limits) as company:
        issued = [company.issue(f"user {number}") for number in range(4)]
        wrong = Company(company.sidecar, company.key | {"keySecret": "sk_wrong"}, {})
        failed = [wrong.issue("a").status for _ in range(3)]
        other = Company(company.sidecar, company.run("keys", "create", "other"), {})

        assert [reply.status for reply in issued] == [200, 200, 200, 429]
        assert int(issued[3].header("Retry-After") or 0) > 0
        assert list(issued[3].json) == ["statusCode", "message", "error"]
        assert failed == [401, 401, 429]
        assert other.issue("a").status == 200
