"""`GET /imbachat/token/<userId>`: the JWT of the vendor's page."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.calls import call, segment
from tests.providers.imbachat.conftest import SECRET_KEY, Site

PHP = Path(__file__).with_name("jwt.php")
SEVEN_HOURS = 7 * 3600
#: As long as those of the vendor's page, and with what base64url and PHP could read otherwise.
SECRETS = [
    SECRET_KEY,
    "k" * 64,
    "Ключ виджета ✓ \"'$\\",
    "dGhpcyBpcyBiYXNlNjQsIGFuZCBub3QgZGVjb2RlZA==",
]


def claims_of(token: str, secret: str = SECRET_KEY) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, secret.encode(), algorithms=["HS256"])
    return found


def test_the_answer(site: Site) -> None:
    found = site.credentials("/imbachat/token/6")

    assert list(found) == ["user_id", "token", "user_key", "expiresIn"]
    assert (found["user_id"], found["expiresIn"]) == (6, SEVEN_HOURS)


def test_the_token_has_two_claims_and_no_other(site: Site) -> None:
    before = int(time.time())
    token = site.get("/imbachat/token/6").json["token"]
    claims = claims_of(token)

    assert list(claims) == ["exp", "user_id"]
    assert before + SEVEN_HOURS <= claims["exp"] <= time.time() + SEVEN_HOURS
    assert type(claims["exp"]) is int
    assert (type(claims["user_id"]), claims["user_id"]) == (int, 6)
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "HS256"}


@pytest.mark.parametrize("user_id", ["1", "999999999", "9007199254740991", "%36"])
def test_a_user_need_not_be_known(site: Site, user_id: str) -> None:
    reply = site.get(f"/imbachat/token/{user_id}")

    assert reply.status == 200
    assert claims_of(reply.json["token"])["user_id"] == int(user_id.replace("%3", ""))


@pytest.mark.parametrize("path", ["/imbachat/token/{}", "/imbachat/widget/{}?format=html"])
@pytest.mark.parametrize(
    "user_id",
    [
        "",
        "0",
        "00",
        "06",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "0x1",
        " 1",
        "1 ",
        "1,2",
        "1/2",
        "/1",
        "1/",
        "a",
        "1a",
        "alice",
        "null",
        "true",
        "[1]",
        "٣",
        "1٣",
        "３",
        "²",
        "1\u200b",
        "<script>alert(1)</script>",
        '1"',
        "1' OR 1=1",
        "9007199254740992",
        "9" * 17,
        "9" * 5000,
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_what_is_no_user_id_is_refused(site: Site, path: str, user_id: str) -> None:
    reply = site.get(path.format(segment(user_id)))

    assert (reply.status, reply.json["code"]) == (400, 400)
    assert "whole number from 1" in reply.json["error"]


@pytest.mark.parametrize("user_id", ["%FF", "1%FF", "%D9"])
def test_what_is_no_utf_8_is_refused(site: Site, user_id: str) -> None:
    assert site.get(f"/imbachat/token/{user_id}").status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_405(site: Site, method: str) -> None:
    assert call(site.sidecar.port, method, "/imbachat/token/6").status == 405


def test_its_life_is_a_setting(imbachat_before: Callable[..., Any]) -> None:
    with imbachat_before(IMBACHAT_TOKEN_TTL="60s") as site:
        answer = site.get("/imbachat/token/6").json

    assert answer["expiresIn"] == 60
    assert 30 <= claims_of(answer["token"])["exp"] - time.time() <= 60


@pytest.mark.skipif(shutil.which("php") is None, reason="php is not there: the vendor's language")
@pytest.mark.parametrize("secret", SECRETS, ids=ascii)
def test_the_vendors_php_makes_and_takes_the_same(
    imbachat_before: Callable[..., Any], secret: str
) -> None:
    with imbachat_before(IMBACHAT_SECRET_KEY=secret, IMBACHAT_TOKEN_TTL="1h") as site:
        ours = site.get("/imbachat/token/6").json["token"]

    theirs = php("make", secret, "6", "3600")
    read_here, read_there = claims_of(theirs, secret), json.loads(php("check", secret, ours))

    assert list(read_here) == list(read_there) == ["exp", "user_id"]
    assert read_here["user_id"] == read_there["user_id"] == 6
    assert abs(read_here["exp"] - read_there["exp"]) < 30
    assert jwt.get_unverified_header(theirs) == jwt.get_unverified_header(ours)
    assert php("check", secret + "x", ours) == "forged"


def php(*arguments: str) -> str:
    """Run the vendor's way."""
    done = subprocess.run(
        ["php", str(PHP), *arguments], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout
