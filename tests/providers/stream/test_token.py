"""User tokens, byte for byte as the provider's own SDKs make them."""

import json
from datetime import datetime
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from chatproxy.providers.stream.provider import Stream
from chatproxy.services import Clock

NOW = 1_795_177_602.9
SECRET = "a-secret-of-forty-characters-0123456789ab"
MINIMUM = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": f"{SECRET},older-{SECRET}"}


def client(**environ: str) -> FlaskClient:
    clock = Clock(now=lambda: NOW)
    return create_app(settings.load(SETTINGS, MINIMUM | environ), clock).test_client()


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(
        token, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False}
    )
    return found


def test_a_token_is_issued_with_a_back_dated_iat_and_no_expiry() -> None:
    answer = client().get("/token/alice")
    body = answer.get_json()

    assert answer.status_code == 201
    assert list(body) == ["userId", "token"]
    assert claims(body["token"]) == {"user_id": "alice", "iat": 1_795_177_597}
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_expiry_counts_from_now_not_from_the_back_dated_iat() -> None:
    body = client(EXPIRATION_TOKEN_DURATION="3600").get("/token/alice").get_json()

    assert claims(body["token"])["exp"] == 1_795_181_202


def test_the_bytes_are_those_of_the_sdks() -> None:
    """Both official SDKs write user_id, exp, iat in this order, without white space."""
    token = client(EXPIRATION_TOKEN_DURATION="3600").get("/token/alice").get_json()["token"]
    theirs = jwt.encode(
        {"user_id": "alice", "exp": 1_795_181_202, "iat": 1_795_177_597}, SECRET, algorithm="HS256"
    )

    assert token == theirs


def test_the_server_token_is_made_from_the_first_secret_unless_given() -> None:
    made = _server_token(client())
    given = jwt.encode({}, SECRET, algorithm="HS256")

    assert claims(made) == {"server": True}
    assert _server_token(client(STREAM_AUTH_TOKEN=given)) == given


@pytest.mark.parametrize("user_id", ["a", "A-b_c@9", "x" * 255, "%61lice", "me%40there"])
def test_an_id_of_the_alphabet_is_served(user_id: str) -> None:
    assert client().get(f"/token/{user_id}").status_code == 201


@pytest.mark.parametrize(
    "user_id",
    [
        "",
        "x" * 256,
        "a b",
        "a%20b",
        "a%2Fb",
        "a/b",
        "auth0%7Cx",
        "a.b",
        "%C3%A9",
        "a%2540b",
        "a%0A",
    ],
)
def test_another_id_is_400_in_the_sidecars_own_words(user_id: str) -> None:
    answer = client().get(f"/token/{user_id}")

    assert answer.status_code == 400
    assert list(json.loads(answer.data)) == ["errorMsg"]


def test_the_key_is_told() -> None:
    assert client().get("/api-key").get_json() == {"api_key": "key"}


BOUNDED = {"EXPIRATION_TOKEN_DURATION": "3600"}
TEN_YEARS = 10 * 366 * 86400


@pytest.mark.parametrize(
    ("environ", "seconds"), [({}, 1), ({}, 60), ({}, TEN_YEARS), (BOUNDED, 60), (BOUNDED, 3600)]
)
def test_a_caller_may_ask_for_an_end(environ: dict[str, str], seconds: int) -> None:
    body = client(**environ).get(f"/token/alice?expiresIn={seconds}").get_json()

    assert set(body) == {"userId", "token", "expiresAt"}
    assert claims(body["token"]) == {
        "user_id": "alice",
        "exp": int(NOW) + seconds,
        "iat": int(NOW) - 5,
    }
    assert datetime.fromisoformat(body["expiresAt"]).timestamp() == int(NOW) + seconds


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "-1", "+60", "1.5", "60.0", "1e3", "0x10", "060", " 60", "60 ", "60s", "1h",
        "60,60", "null", "true", "NaN", "Infinity", "9" * 10, "9" * 400, "%D9%A1%D9%A2",
        "%EF%BC%91", "1_000", "60%00", "60%0A", str(TEN_YEARS + 1),
    ],
)  # fmt: skip
def test_what_is_no_number_of_seconds_is_400(text: str) -> None:
    answer = client().get(f"/token/alice?expiresIn={text.replace('+', '%2B')}")

    assert answer.status_code == 400
    assert answer.get_json() == {
        "errorMsg": f"expiresIn: Must be a whole number of seconds from 1 to {TEN_YEARS}."
    }


def test_a_life_above_that_of_the_settings_is_refused_and_not_shortened() -> None:
    answer = client(**BOUNDED).get("/token/alice?expiresIn=3601")

    assert answer.status_code == 400
    assert "from 1 to 3600" in answer.get_json()["errorMsg"]


def test_two_lives_are_none() -> None:
    answer = client().get("/token/alice?expiresIn=60&expiresIn=60")

    assert answer.status_code == 400
    assert answer.get_json() == {"errorMsg": "expiresIn: Given more than once."}


def _server_token(made: FlaskClient) -> str:
    stream = made.application.extensions["chatproxy"].provider(Stream)
    return dict(stream.authorise().headers)["Authorization"]
