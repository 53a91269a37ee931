"""`?jwt_token=`, with which imbachat.com calls WordPress's plugin: good ones, and all others."""

import json
import time
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from jwt.api_jws import PyJWS

from tests.calls import call
from tests.providers.imbachat.conftest import DEV_ID, LOGIN, PASSWORD, SECRET_KEY, Site, basic
from tests.providers.imbachat.test_access import GUARDED, is_refused

KEY = f"{LOGIN}:{PASSWORD}"
NOW = int(time.time())


def signed(payload: bytes, key: str = KEY, algorithm: str = "HS256", **header: str) -> str:
    with warnings.catch_warnings():  # a login and a password are no long key
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        return PyJWS().encode(payload, key if algorithm != "none" else "", algorithm, header)


def token(claims: dict[str, Any] | None = None, key: str = KEY, algorithm: str = "HS256") -> str:
    return signed(json.dumps(claims or {}).encode(), key, algorithm)


def with_token(path: str, *tokens: str) -> str:
    fields = "&".join(f"jwt_token={one}" for one in tokens)
    return f"{path}{'&' if '?' in path else '?'}{fields}"


@pytest.mark.parametrize("path", GUARDED)
def test_it_opens_what_the_login_opens(one_site: Site, path: str) -> None:
    assert one_site.get(with_token(path, token())).status == 200


def test_it_opens_the_search_by_post(one_site: Site) -> None:
    path = "/imbachat/v1/searchusers/john"

    assert call(one_site.sidecar.port, "POST", with_token(path, token())).status == 200
    assert is_refused(call(one_site.sidecar.port, "POST", with_token(path, token(key="x:y"))))
    assert is_refused(call(one_site.sidecar.port, "POST", path))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"imba_id": DEV_ID},
        {"imba_id": int(DEV_ID)},
        {"imba_id": None},
        {"exp": NOW + 10_000},
        {"iat": NOW, "nbf": NOW, "exp": NOW + 10_000, "imba_id": DEV_ID, "user_id": 1, "else": []},
    ],
    ids=str,
)
def test_its_claims_may_be(one_site: Site, claims: dict[str, Any]) -> None:
    assert one_site.ids(with_token("/imbachat/v1/getusers/6", token(claims))) == [6]


@pytest.mark.parametrize("login", [LOGIN, LOGIN.lower()])
def test_its_login_is_as_configured_or_in_lower_case(one_site: Site, login: str) -> None:
    ours = token(key=f"{login}:{PASSWORD}")

    assert one_site.get(with_token("/imbachat/v1/getusers/6", ours)).status == 200


REFUSED: dict[str, str] = {
    "another password": token(key=f"{LOGIN}:other-password"),
    "another login": token(key=f"other:{PASSWORD}"),
    "the password alone": token(key=PASSWORD),
    "the key of users' tokens": token({"user_id": 6, "exp": NOW + 10_000}, SECRET_KEY),
    "no signature": token().rpartition(".")[0] + ".",
    "algorithm none": token(algorithm="none"),
    "another algorithm": token(algorithm="HS512"),
    "expired": token({"exp": NOW - 10}),
    "not yet": token({"nbf": NOW + 10_000}),
    "from the future": token({"iat": NOW + 10_000}),
    "an end that is no time": token({"exp": True}),
    "another widget": token({"imba_id": f"{DEV_ID}1"}),
    "a widget that is a list": token({"imba_id": [DEV_ID]}),
    "a widget that is true": token({"imba_id": True}),
    "a widget with a space": token({"imba_id": f" {DEV_ID}"}),
    "a widget as a float": token({"imba_id": float(DEV_ID)}),
    "no token": "x",
    "two dots": "..",
    "not ASCII": "%C3%A9yJ.e.s",
    "no UTF-8": "%FF.%FF.%FF",
    "a NUL": token() + "%00",
    "a space": token() + "%20",
    "the password": PASSWORD,
    "very long": "a" * 3000 + ".b.c",
    "JSON that is no object": signed(b"[]"),
    "a claim twice": signed(b'{"imba_id":"x","imba_id":"1540"}'),
    "another header": signed(b"{}", jku="https://x/"),
}


@pytest.mark.parametrize("why", list(REFUSED))
def test_every_other_is_the_documented_401(one_site: Site, why: str) -> None:
    path = with_token("/imbachat/v1/getusers/6", REFUSED[why])

    assert is_refused(one_site.get(path))
    # As in the plugin the token alone counts where there is one.
    assert is_refused(one_site.ask(path))


def test_two_are_refused_and_an_empty_one_is_none(one_site: Site) -> None:
    assert is_refused(one_site.get(with_token("/imbachat/v1/getusers/6", token(), token())))
    assert is_refused(one_site.get(with_token("/imbachat/v1/getusers/6", "")))
    assert one_site.ids(with_token("/imbachat/v1/getusers/6", "")) == [6]


def test_in_a_header_or_a_body_it_is_none(one_site: Site) -> None:
    for field in (f"Authorization: Bearer {token()}", f"jwt_token: {token()}"):
        assert is_refused(one_site.get("/imbachat/v1/getusers/6", field))

    path = "/imbachat/v1/searchusers/john"
    assert is_refused(call(one_site.sidecar.port, "POST", path, body={"jwt_token": token()}))


def test_guesses_are_counted_with_those_of_the_password(
    imbachat_before: Callable[..., Any],
) -> None:
    with imbachat_before(AUTH_FAILURE_LIMIT="3 per hour") as site:
        path = "/imbachat/v1/getusers/6"

        for _ in range(5):  # these guess nothing
            assert is_refused(site.get(with_token(path, "junk")))
            assert is_refused(site.get(with_token(path, token({"exp": NOW - 10}))))

        assert is_refused(site.get(path, basic(LOGIN, "wrong")))
        assert is_refused(site.get(with_token(path, token(key="a:b"))))
        assert is_refused(site.get(with_token(path, token(key="c:d"))))
        assert site.get(with_token(path, token(key="e:f"))).status == 429
        assert site.get(with_token(path, token())).status == 200


def test_the_old_password_is_accepted_while_it_is_replaced(
    imbachat_before: Callable[..., Any], tmp_path: Any
) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)

    with imbachat_before(IMBACHAT_API_PASSWORD="", IMBACHAT_API_PASSWORD_FILE=str(secret)) as site:
        path = with_token("/imbachat/v1/getusers/6", token())
        new = with_token("/imbachat/v1/getusers/6", token(key=f"{LOGIN}:the-new-password"))
        assert (site.get(path).status, site.get(new).status) == (200, 401)
        secret.write_text("the-new-password")
        until = time.monotonic() + 30

        while site.get(new).status != 200:
            assert time.monotonic() < until
            time.sleep(0.1)

        assert site.get(path).status == 200


def test_it_stands_in_no_line(one_site: Site) -> None:
    """At the level trace, refused or not, and where the request itself is bad."""
    good, bad, expired = token({"n": 1}), token(key="a:b"), token({"exp": NOW - 7})
    bare = urlsafe_b64encode(b"a credential that is no JWT").decode()

    for one in (good, bad, expired, bare):
        for path in ("/imbachat/v1/getusers/6", "/imbachat/users", "/imbachat/nowhere"):
            one_site.get(with_token(path, one))
            one_site.get(with_token(path + "/..", one))
            one_site.get(with_token(path, one), "Upgrade: websocket", "Connection: Upgrade")
            call(one_site.sidecar.port, "POST", with_token(path, one))

    output = one_site.sidecar.output.read_text()

    for one in (good, bad, expired, bare):
        assert one not in output
        assert one.rpartition(".")[2] not in output
