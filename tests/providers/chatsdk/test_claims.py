"""The claims of both API versions: what is made, and whose tokens are taken."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from chatproxy.identity.token_records import new_token_id
from chatproxy.providers.chatsdk.settings import JANUARY, SCOPES, TODAY
from tests.providers.chatsdk import claims
from tests.providers.chatsdk.in_process import House, message, told

JANUARYS = {"user_id", "app_id", "iat", "exp", "jti", "token_version"}


def is_uuid(text: str) -> bool:
    return str(uuid.UUID(text)) == text


def test_todays_token_has_all_that_todays_server_asks_for(today: House) -> None:
    found = claims.of(today.tokens("ann")["token"])

    assert set(found) == JANUARYS | {"type", "iss", "aud", "sub", "scopes"}
    assert (found["type"], found["iss"], found["aud"]) == (
        "access",
        "chatsdk-api",
        "chatsdk-client",
    )
    assert (found["user_id"], found["sub"]) == ("ann", "default:ann")
    assert found["scopes"] == list(SCOPES)
    assert is_uuid(found["jti"])


def test_todays_ws_token_names_the_user_with_its_app(today: House) -> None:
    made = today.tokens("ann")
    found = claims.of_ws(made["wsToken"])

    assert set(found) == JANUARYS | {"iss", "aud", "sub", "scopes"}
    assert (found["sub"], found["user_id"]) == ("default:ann", "ann")
    assert found["jti"] == claims.of(made["token"])["jti"]


def test_in_january_there_is_nothing_but_the_id(january: House) -> None:
    made = january.tokens("ann")

    assert set(claims.of(made["token"])) == JANUARYS
    assert set(claims.of_ws(made["wsToken"])) == JANUARYS - {"user_id"} | {"sub"}
    assert claims.of_ws(made["wsToken"])["sub"] == "ann"
    assert is_uuid(claims.of(made["token"])["jti"])


def test_the_form_of_the_answer_is_the_guides_in_both(either: House) -> None:
    answer = told(either.ask("POST", "/tokens", {"userId": "ann", "name": "Ann"}))

    assert sorted(answer) == ["expiresIn", "token", "user", "wsToken"]
    assert answer["user"] == {"id": "ann", "name": "Ann"}
    assert sorted(told(either.exchange(answer["token"]))) == ["expiresIn", "token", "wsToken"]


def test_scopes_issuer_and_audience_can_be_set(house_of: Callable[..., House]) -> None:
    named = {"CHATSDK_JWT_ISSUER": "https://chat.example/api", "CHATSDK_JWT_AUDIENCE": "apps"}
    house = house_of(TODAY, CHATSDK_SCOPES="chat:read, x", **named)
    made = house.tokens("ann")

    for found in (claims.of(made["token"]), claims.of_ws(made["wsToken"])):
        assert found["scopes"] == ["chat:read", "x"]
        assert (found["iss"], found["aud"]) == ("https://chat.example/api", "apps")

    assert house.validate(made["token"]).status_code == 200
    assert message(house.validate(claims.made_today("ann"))) == "Invalid token"


def alive(user_id: str, version: int) -> tuple[str, str]:
    """A pair as it was made here before the version had a claim of its own."""
    token_id = new_token_id(version)
    return claims.made(user_id, jti=token_id), claims.made_ws(user_id, jti=token_id)


def test_tokens_from_before_stay_good_and_can_be_ended(either: House) -> None:
    either.tokens("old")
    token, ws_token = alive("old", 0)

    assert told(either.validate(token))["payload"]["userId"] == "old"
    assert told(either.validate_ws(ws_token))["payload"]["userId"] == "old"
    exchanged = told(either.exchange(token))
    assert either.revoke("old").status_code == 200
    assert message(either.validate(token)) == "Token revoked"
    assert message(either.validate_ws(ws_token)) == "WebSocket token revoked"
    assert message(either.validate(exchanged["token"])) == "Token revoked"
    # Of the new count, as one would be that was made right afterwards.
    assert either.validate(alive("old", 1)[0]).status_code == 200


def test_the_other_versions_tokens_stay_good_after_a_change(either: House) -> None:
    now = int(time.time())
    either.tokens("both")
    ours = {"token_version": 0, "iat": now, "exp": now + 60}
    january = claims.made("both", **ours, jti=str(uuid.uuid4()))
    today = claims.made_today("both", **ours, sid=None, scopes=["chat:read"])

    for token in (january, today):
        assert told(either.validate(token))["payload"]["userId"] == "both"
        assert either.exchange(token).status_code == 200

    assert either.revoke("both").status_code == 200
    assert {message(either.validate(one)) for one in (january, today)} == {"Token revoked"}


def test_what_todays_server_gave_out_is_good_here(either: House) -> None:
    token, ws_token = claims.made_today("theirs"), claims.made_ws_today("theirs")

    assert told(either.validate(token))["payload"]["userId"] == "theirs"
    assert told(either.validate_ws(ws_token))["payload"]["userId"] == "theirs"
    assert either.revoke("theirs").status_code == 200
    assert message(either.validate(token)) == "Token revoked"


WRONG_TYPE = {
    "a server's refresh token": claims.made_today("ann", type="refresh"),
    "the same without the rest": claims.made("ann", type="refresh"),
    "a type nobody knows": claims.made("ann", type="media"),
    "no text for a type": claims.made("ann", type=["access"]),
    "a number for a type": claims.made("ann", type=7),
    "a wsToken's claims": claims.made_today("ann", type=None),
}


@pytest.mark.parametrize("token", WRONG_TYPE.values(), ids=WRONG_TYPE)
def test_what_is_no_access_token_opens_nothing(either: House, token: str) -> None:
    answers = [
        either.validate(token),
        either.exchange(token),
        either.renew(token),
        either.bearing(token, "GET", "/api/channels"),
        either.bearing(token, "GET", "/api/users/bob"),
    ]

    assert {message(one) for one in answers} == {"Invalid token type"}
    assert message(either.validate_ws(token)) == "Invalid WebSocket token"


ELSEWHERE = {
    "another issuer": {"iss": "somebody"},
    "another audience": {"aud": "chatsdk-server-mint"},
    "other audiences": {"aud": ["a", "b"]},
    "no audience at all": {"aud": []},
    "a number for an audience": {"aud": 7},
}


@pytest.mark.parametrize("changes", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_token_by_or_for_somebody_else_is_refused_by_2_0_only(
    today: House, january: House, changes: dict[str, Any]
) -> None:
    token, ws_token = claims.made_today("ann", **changes), claims.made_ws_today("ann", **changes)

    assert message(today.validate(token)) == "Invalid token"
    assert message(today.validate_ws(ws_token)) == "Invalid WebSocket token"
    # January's server does not look at either.
    assert january.validate(token).status_code == 200
    assert january.validate_ws(ws_token).status_code == 200


def test_one_audience_of_several_is_enough(today: House) -> None:
    assert today.validate(claims.made_today("ann", aud=["x", "chatsdk-client"])).status_code == 200


@pytest.mark.parametrize("version", [True, -1, 2**31, 1.5, "0", [0]], ids=repr)
def test_a_version_that_is_no_count_is_refused(either: House, version: Any) -> None:
    either.tokens("ann")

    assert message(either.validate(claims.made("ann", token_version=version))) == "Invalid token"
    ws_token = claims.made_ws("ann", token_version=version)
    assert message(either.validate_ws(ws_token)) == "Invalid WebSocket token"


@pytest.mark.parametrize("family", ["", "x", 7, str(uuid.uuid4()) + "\n"], ids=repr)
def test_a_family_that_is_no_uuid_is_refused(either: House, family: Any) -> None:
    assert message(either.validate(claims.made("ann", token_family=family))) == "Invalid token"


@pytest.mark.parametrize("version", [JANUARY, TODAY])
def test_a_user_with_a_colon_is_nobody_else(house_of: Callable[..., House], version: str) -> None:
    """Taken apart at its colon, the old token of `default:bob` would be bob's."""
    house = house_of(version)

    for token in (claims.made_ws("default:bob"), house.tokens("default:bob")["wsToken"]):
        assert told(house.validate_ws(token))["payload"]["userId"] == "default:bob"


WS_OF_TWO = {
    "another user": {"sub": "default:eve"},
    "another app": {"sub": "shop:ann"},
    "the user alone": {"sub": "ann"},
    "no subject": {"sub": None},
    "a number for the user": {"user_id": 7, "sub": "default:7"},
    "no user at all": {"user_id": None, "sub": None},
    "an empty user": {"user_id": "", "sub": "default:"},
    "a user with NUL": {"user_id": "a\0", "sub": "default:a\0"},
    "a very long user": {"user_id": "x" * 256, "sub": "default:" + "x" * 256},
    "a type": {"type": "access"},
}


@pytest.mark.parametrize("changes", WS_OF_TWO.values(), ids=WS_OF_TWO)
def test_a_ws_token_is_for_the_user_whom_centrifugo_sees(
    either: House, changes: dict[str, Any]
) -> None:
    token = claims.made_ws_today("ann", **changes)

    assert message(either.validate_ws(token)) == "Invalid WebSocket token"


def test_the_longest_id_has_both_tokens(either: House) -> None:
    made = either.tokens("x" * 255)

    assert either.validate(made["token"]).status_code == 200
    assert either.validate_ws(made["wsToken"]).status_code == 200


BOUND = {
    "to a session": claims.made_today("ann"),
    "to a broker": claims.made_today("ann", broker_client_id="b", scopes=["chat:read"]),
    "to few scopes": claims.made_today("ann", sid=None, scopes=["chat:read"]),
}


@pytest.mark.parametrize("token", BOUND.values(), ids=BOUND)
def test_what_todays_server_bound_is_not_exchanged_for_what_is_free(
    either: House, token: str
) -> None:
    assert either.validate(token).status_code == 200
    assert message(either.exchange(token)) == "Invalid token type"
    assert message(either.renew(token)) == "Invalid token type"


def test_januarys_own_tokens_are_exchanged(either: House) -> None:
    assert either.exchange(claims.made("ann")).status_code == 200


def test_the_exchange_gives_the_scopes_of_the_settings(house_of: Callable[..., House]) -> None:
    house = house_of(TODAY, CHATSDK_SCOPES="chat:read")
    house.tokens("ann")
    wide = claims.made_today("ann", sid=None, token_version=0, scopes=["chat:read", "all"])

    assert claims.of(told(house.exchange(wide))["token"])["scopes"] == ["chat:read"]


@pytest.mark.parametrize("kind", ["token", "wsToken", "refreshToken"])
def test_a_command_says_whose_it_is_and_whether_it_is_good(either: House, kind: str) -> None:
    made = either.connect("inspected")
    made |= made.pop("_internal")
    chatsdk = either.services.backends["chatsdk"].provider
    said = chatsdk.inspect(made[kind], either.directory, time.time())

    assert said is not None
    assert (said.kind, said.user, said.app, said.fault) == (kind, "inspected", "default", "")
    either.directory.tokens.revoke_token("default", str(said.token_id), time.time() + 60)
    said = chatsdk.inspect(made[kind], either.directory, time.time())
    assert said is not None
    assert said.revoked
