"""`/api/auth`: what `ChatSDK.connect` and `TokenManager` of the vendor's client ask for."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from chatproxy.providers.chatsdk.claims import new_id
from chatproxy.providers.chatsdk.settings import TODAY
from tests.canaries import JWT_SECRET
from tests.providers.chatsdk import claims
from tests.providers.chatsdk.in_process import House, message, told

WHOLE = ["_internal", "expiresIn", "refreshToken", "token"]
DAY = 86400


def refusal(answer: Any) -> tuple[int, str, str]:
    """Its status, code and message, where it makes a suggestion as well."""
    error = answer.json["error"]
    assert sorted(error) == ["code", "message", "suggestion"]
    return answer.status_code, error["code"], error["message"]


def test_a_connecting_answers_as_the_client_reads_it(either: House) -> None:
    profile = {"displayName": "Ann", "avatar": "https://a.example/a.png", "metadata": {"a": 1}}
    answer = either.connect("ann", email="a@example.com", **profile)

    assert sorted(answer) == [*WHOLE, "user"]
    assert answer["user"] == {
        "id": "ann",
        "displayName": "Ann",
        "avatar": "https://a.example/a.png",
        "metadata": {"a": 1, "email": "a@example.com"},
    }
    assert answer["expiresIn"] == DAY
    assert told(either.validate(answer["token"]))["user"]["name"] == "Ann"
    assert either.validate_ws(answer["_internal"]["wsToken"]).status_code == 200


@pytest.mark.parametrize("nothing", [None, "", ...], ids=["null", "empty", "absent"])
def test_what_is_not_told_has_the_vendors_defaults(either: House, nothing: Any) -> None:
    names = ("displayName", "avatar", "email", "metadata")
    profile = {} if nothing is ... else dict.fromkeys(names, nothing)
    user = either.connect("bob", **profile)["user"]

    assert user == {"id": "bob", "displayName": "bob", "avatar": None, "metadata": {}}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["userId"]),
        ({"userId": ""}, ["userId"]),
        ({"userId": 7}, ["userId"]),
        ({"userId": "x" * 256}, ["userId"]),
        ({"userId": "a\0"}, ["userId"]),
        ({"userId": "a", "avatar": "no url"}, ["avatar"]),
        ({"userId": "a", "avatar": "javascript:alert(1)"}, ["avatar"]),
        ({"userId": "a", "displayName": 7}, ["displayName"]),
        ({"userId": "a", "email": "nobody"}, ["email"]),
        ({"userId": "a", "metadata": []}, ["metadata"]),
        ([], []),
    ],
    ids=repr,
)
def test_a_bad_body_is_told_before_a_bad_key(either: House, body: Any, place: list[str]) -> None:
    answer = either.client.post("/api/auth/connect", json=body)

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["issues"][0]["path"] == place


def test_what_is_no_json_is_malformed(either: House) -> None:
    for path in ("/api/auth/connect", "/api/auth/refresh"):
        answer = either.client.post(path, data=b"{", content_type="application/json")
        assert (answer.status_code, answer.json["error"]["code"]) == (400, "BAD_REQUEST")  # type: ignore[index]


@pytest.mark.parametrize(
    ("key", "code", "told_so"),
    [(None, "MISSING_API_KEY", "Missing API key"), ("bad", "INVALID_API_KEY", "Invalid API key")],
)
def test_without_a_good_key_nobody_is_connected(
    either: House, key: str | None, code: str, told_so: str
) -> None:
    fields = {} if key is None else {"X-API-Key": key}
    answer = either.client.post("/api/auth/connect", json={"userId": "eve"}, headers=fields)

    assert refusal(answer) == (401, code, told_so)
    assert either.ask("GET", "/api/users/eve").status_code == 404


def test_a_users_token_connects_nobody(either: House) -> None:
    for token in (either.tokens("eve")["token"], either.connect("eve")["refreshToken"]):
        answer = either.bearing(token, "POST", "/api/auth/connect", {"userId": "victim"})
        assert refusal(answer)[:2] == (401, "MISSING_API_KEY")


def test_a_connecting_and_tokens_share_a_limit(house_of: Callable[..., House]) -> None:
    house = house_of(TODAY, TOKEN_RATE_LIMIT="2 per minute")
    house.connect("ann")
    house.tokens("ann")
    answer = house.ask("POST", "/api/auth/connect", {"userId": "ann"})

    assert (answer.status_code, answer.json["error"]["code"]) == (429, "RATE_LIMITED")  # type: ignore[index]
    assert answer.headers["Retry-After"]


BY = pytest.mark.parametrize("in_body", [False, True], ids=["in the header", "in the body"])


def renew(house: House, token: str, *, in_body: bool) -> Any:
    if in_body:
        return house.client.post("/api/auth/refresh", json={"refreshToken": token})

    return house.renew(token)


@BY
def test_a_refresh_token_gives_new_tokens(either: House, in_body: bool) -> None:
    first = either.connect("ann")
    second = told(renew(either, first["refreshToken"], in_body=in_body))

    assert sorted(second) == WHOLE
    assert either.validate(second["token"]).status_code == 200
    assert either.validate_ws(second["_internal"]["wsToken"]).status_code == 200
    ids = {claims.of(one["token"])["jti"] for one in (first, second)}
    assert len(ids) == 2
    third = told(renew(either, second["refreshToken"], in_body=in_body))
    assert either.validate(third["token"]).status_code == 200


def test_a_second_use_ends_all_that_came_of_it_and_no_more(either: House) -> None:
    first, other = either.connect("ann"), either.connect("ann")
    second = told(either.renew(first["refreshToken"]))
    again = either.renew(first["refreshToken"])

    assert refusal(again) == (401, "INVALID_REFRESH_TOKEN", "Refresh token replay detected")

    for made in (first, second):
        assert message(either.validate(made["token"])) == "Token revoked"
        assert message(either.validate_ws(made["_internal"]["wsToken"])).endswith("revoked")

    assert refusal(either.renew(second["refreshToken"]))[1:] == (
        "INVALID_REFRESH_TOKEN",
        "Token has been revoked",
    )
    assert either.validate(other["token"]).status_code == 200
    assert either.renew(other["refreshToken"]).status_code == 200


def test_a_refresh_token_is_good_for_nothing_else(either: House) -> None:
    token = either.connect("ann")["refreshToken"]
    answers = [
        either.validate(token),
        either.exchange(token),
        either.bearing(token, "GET", "/api/channels"),
    ]

    assert {message(one) for one in answers} == {"Invalid token signature"}
    assert message(either.validate_ws(token)) == "Invalid WebSocket token"


def test_with_the_servers_secret_alone_nobody_makes_a_refresh_token(either: House) -> None:
    """So a server of the same secret takes none of ours either."""
    found = claims.of(either.connect("ann")["token"])
    forged = claims.made("ann", type="refresh", token_family=found["token_family"])

    with pytest.raises(Exception, match="Signature"):
        claims.of(either.connect("ann")["refreshToken"], JWT_SECRET)

    assert refusal(either.renew(forged))[:2] == (401, "INVALID_REFRESH_TOKEN")


def test_a_connected_token_is_renewed_by_its_refresh_token_only(either: House) -> None:
    token = either.connect("ann")["token"]

    assert message(either.exchange(token)) == "Invalid token type"
    assert refusal(either.renew(token)) == (401, "INVALID_REFRESH_TOKEN", "Invalid token type")


@BY
def test_the_guides_token_is_its_own_refresh_token(either: House, in_body: bool) -> None:
    """`/tokens` gives none, and the client's `TokenManager` needs one."""
    token = either.tokens("ann")["token"]

    for _ in range(2):
        answer = told(renew(either, token, in_body=in_body))
        assert answer["refreshToken"] == answer["token"] != token
        assert either.validate(answer["token"]).status_code == 200
        token = answer["refreshToken"]


def test_the_header_counts_where_both_are_there(either: House) -> None:
    body = {"refreshToken": either.connect("ann")["refreshToken"]}
    answer = either.bearing("junk", "POST", "/api/auth/refresh", body)

    assert refusal(answer)[:2] == (401, "INVALID_REFRESH_TOKEN")


MISSING = {
    "nothing": {},
    "no body": {"data": b""},
    "an empty text": {"json": {"refreshToken": ""}},
    "null": {"json": {"refreshToken": None}},
    "another name": {"json": {"token": "x"}},
    "no json": {"data": b"refreshToken=x", "content_type": "application/x-www-form-urlencoded"},
    "no scheme": {"headers": {"Authorization": "x"}},
    "another scheme": {"headers": {"Authorization": "Basic eDp4"}},
}


@pytest.mark.parametrize("sent", MISSING.values(), ids=MISSING)
def test_without_a_refresh_token_it_says_so(either: House, sent: dict[str, Any]) -> None:
    answer = either.client.post("/api/auth/refresh", **sent)

    assert refusal(answer) == (401, "MISSING_REFRESH_TOKEN", "Missing refresh token")


@pytest.mark.parametrize("token", [7, ["x"], {}], ids=repr)
def test_a_refresh_token_is_a_text(either: House, token: Any) -> None:
    answer = either.client.post("/api/auth/refresh", json={"refreshToken": token})

    assert answer.status_code == 400
    assert answer.json["error"]["issues"][0]["path"] == ["refreshToken"]  # type: ignore[index]


@pytest.mark.parametrize("kind", ["refreshToken", "token"])
def test_a_revocation_ends_what_tokens_are_renewed_with(either: House, kind: str) -> None:
    made = either.connect("ann") if kind == "refreshToken" else either.tokens("ann")
    assert either.revoke("ann").status_code == 200

    assert refusal(either.renew(made[kind]))[:2] == (401, "INVALID_REFRESH_TOKEN")
    assert message(either.validate(made["token"])) == "Token revoked"


def refresh_token(house: House, user_id: str, /, **changes: Any) -> str:
    """A refresh token as it is made here, with other claims."""
    pairs = house.services.backends["chatsdk"].provider.tokens  # type: ignore[attr-defined]
    secret = pairs.refresh.secrets[0]
    plain = {"type": "refresh", "token_version": 0, "token_family": new_id(), "jti": new_id()}
    return claims.made(user_id, secret, **plain | changes)


def test_a_refresh_token_ends(either: House) -> None:
    assert either.renew(refresh_token(either, "eva")).status_code == 200
    late = refresh_token(either, "eva", exp=int(time.time()) - 1)

    assert refusal(either.renew(late)) == (401, "REFRESH_TOKEN_EXPIRED", "Refresh token expired")


def test_it_lives_as_long_as_a_token_can_be_exchanged(house_of: Callable[..., House]) -> None:
    house = house_of(TODAY, CHATSDK_TOKEN_TTL="15m", CHATSDK_REFRESH_GRACE="1h")
    pairs = house.services.backends["chatsdk"].provider.tokens  # type: ignore[attr-defined]
    found = claims.of(house.connect("ann")["refreshToken"], pairs.refresh.secrets[0])

    assert found["exp"] - found["iat"] == 15 * 60 + 3600 + 5


CUT = {
    "no family": {"token_family": None},
    "no id": {"jti": None},
    "another type": {"type": "access"},
    "no type": {"type": None},
    "no user": {"user_id": None},
    "no app": {"app_id": None},
}


@pytest.mark.parametrize("changes", CUT.values(), ids=CUT)
def test_a_refresh_token_that_lacks_something_is_refused(
    either: House, changes: dict[str, Any]
) -> None:
    answer = either.renew(refresh_token(either, "ann", **changes))

    assert refusal(answer) == (401, "INVALID_REFRESH_TOKEN", "Invalid token")


def test_a_renewal_above_the_limit_uses_nothing_up(house_of: Callable[..., House]) -> None:
    house = house_of(TODAY, TOKEN_RATE_LIMIT="1 per minute")
    made = house.connect("ann")
    other = refresh_token(house, "ann", jti="another")
    told(house.renew(made["refreshToken"]))

    assert house.renew(other).status_code == 429
    assert house.directory.tokens.revoke_token("default", "another", time.time() + 60)
