"""Who may ask for users: the widget's `API login` and `API password`, in every bad form too."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from tests.calls import Reply, call
from tests.providers.imbachat.conftest import LOGIN, PASSWORD, Site, basic

GUARDED = [
    "/imbachat/users",
    "/imbachat/users/6",
    "/imbachat/users?ids=6",
    "/imbachat/api/v1/users",
    "/imbachat/api/v1/users/6",
    "/imbachat/api/v1/search/",
    "/imbachat/api/v1/search/john",
    "/imbachat/users?str=john",
    "/imbachat/v1/getusers/6",
    "/imbachat/v1/searchusers/john",
    "/imbachat/v1/user/friends/6",
]


def encoded(pair: bytes) -> str:
    return b64encode(pair).decode()


def is_refused(reply: Reply) -> bool:
    """Check for the documented 401, header and body."""
    assert reply.json == {
        "code": 401, "version": "1.0", "error": "Authenticate required!", "debug": ""
    }  # fmt: skip
    return reply.status == 401 and reply.header("WWW-Authenticate") == 'Basic realm="Backend"'


@pytest.mark.parametrize("path", GUARDED)
def test_without_a_credential_nothing_is_told(site: Site, path: str) -> None:
    assert is_refused(site.get(path))


@pytest.mark.parametrize("path", GUARDED)
def test_with_it_all_is_answered(site: Site, path: str) -> None:
    assert site.ask(path).status == 200


@pytest.mark.parametrize("login", [LOGIN, LOGIN.lower(), LOGIN.upper()])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "Basic  "])
def test_the_case_of_the_login_and_the_scheme_does_not_count(
    site: Site, login: str, scheme: str
) -> None:
    pair = encoded(f"{login}:{PASSWORD}".encode())

    assert site.get("/imbachat/users/6", f"Authorization: {scheme} {pair}").status == 200


GOOD = encoded(f"{LOGIN}:{PASSWORD}".encode())


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "Basic",
        "Basic ",
        f"Bearer {GOOD}",
        f"Digest {GOOD}",
        f"Basic{GOOD}",
        f"Basic\t{GOOD}",
        f"Basic {GOOD} x",
        f"Basic {GOOD},Basic {GOOD}",
        f"Basic {GOOD.rstrip('=')}!",
        f"Basic {GOOD[:-5]}",
        f"Basic {LOGIN}:{PASSWORD}",
        "Basic ====",
        "Basic \xff\xfe",
        f"Basic {encoded(b'no colon at all')}",
        f"Basic {encoded(LOGIN.encode())}",
        f"Basic {encoded(b':')}",
        f"Basic {encoded(f'{LOGIN}:'.encode())}",
        f"Basic {encoded(f':{PASSWORD}'.encode())}",
        f"Basic {encoded(f'{LOGIN}:{PASSWORD}:'.encode())}",
        f"Basic {encoded(f'{LOGIN}::{PASSWORD}'.encode())}",
        f"Basic {encoded(f'{LOGIN}:{PASSWORD.upper()}'.encode())}",
        f"Basic {encoded(f'{LOGIN} :{PASSWORD}'.encode())}",
        f"Basic {encoded(f'{PASSWORD}:{LOGIN}'.encode())}",
        f"Basic {encoded(f'{LOGIN}:{PASSWORD}'.encode('utf-16'))}",
        f"Basic {encoded(f'{LOGIN}:{PASSWORD}'.encode() + bytes([0xFF]))}",
        f"Basic {encoded(bytes([0]) + f'{LOGIN}:{PASSWORD}'.encode())}",
        f"Basic {encoded(b'x' * 5000)}",
        f"Basic {encoded('Имба:пароль'.encode())}",
        f"Basic {encoded('Имба:пароль'.encode('cp1251'))}",
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_every_unusable_field_is_the_documented_401(site: Site, value: str) -> None:
    assert is_refused(site.get("/imbachat/users/6", f"Authorization: {value}"))


def test_two_fields_are_refused(site: Site) -> None:
    line = basic(LOGIN, PASSWORD)

    assert is_refused(site.get("/imbachat/users/6", line, line))


def test_a_credential_in_the_query_is_none(site: Site) -> None:
    assert is_refused(site.get(f"/imbachat/users/6?Authorization=Basic%20{GOOD}"))


@pytest.mark.parametrize(
    ("login", "password"),
    [("ИМБА", "пароль: с двоеточием"), ("a b", "\"'<>&"), ("x", ":"), ("Ünï", "a:b:c")],
)
def test_the_pair_may_be_in_any_script_and_the_password_hold_colons(
    imbachat_before: Callable[..., Any], login: str, password: str
) -> None:
    account = {"IMBACHAT_API_LOGIN": login, "IMBACHAT_API_PASSWORD": password}

    with imbachat_before(**account) as site:
        for spelt in (login, login.upper(), login.lower()):
            assert site.get("/imbachat/users/6", basic(spelt, password)).status == 200

        assert is_refused(site.get("/imbachat/users/6", basic(login, password + ":")))
        assert is_refused(site.get("/imbachat/users/6", basic(login + ":", password)))


def test_the_version_is_told_to_everybody(site: Site) -> None:
    for path in ("/imbachat/api/v1", "/imbachat/api/v1/"):
        reply = site.get(path, basic("wrong", "wrong"))
        assert (reply.status, reply.json) == (200, {"version": "1.0", "type": "chatproxy"})


@pytest.mark.parametrize("path", ["/imbachat", "/imbachat/", "/imbachat/x", "/imbachat/api/v1/x"])
def test_what_is_not_there_is_404_in_the_same_shape(site: Site, path: str) -> None:
    reply = site.get(path)

    assert reply.status == 404
    assert list(reply.json) == ["code", "version", "error", "debug"]
    assert (reply.json["code"], reply.json["version"], reply.json["debug"]) == (404, "1.0", "")


#: What the vendor's plugins do beside: they check passwords, tell or change the credentials, make
#: a token for whoever has a session, and let guests in.
NOT_OFFERED = [
    "/imbachat/api/v1/auth_users",
    "/imbachat/jwt",
    "/imbachat/v1/authuser",
    "/imbachat/v1/getauthdata",
    "/imbachat/v1/gettoken",
    "/imbachat/v1/notifications",
    "/imbachat/v1/setguestimbachat",
    "/imbachat/v1/sync",
]


@pytest.mark.parametrize("path", NOT_OFFERED)
def test_what_would_tell_or_change_a_credential_is_not_there(site: Site, path: str) -> None:
    for method in ("GET", "POST"):
        reply = call(site.sidecar.port, method, path, basic(LOGIN, PASSWORD))
        assert (reply.status, reply.json["code"]) == (404, 404)


@pytest.mark.parametrize("path", ["/imbachat/api/v1", "/imbachat/users", "/imbachat/proxy/x"])
def test_a_websocket_is_told_where_to_go(site: Site, path: str) -> None:
    reply = site.get(path, "Upgrade: websocket", "Connection: Upgrade")

    assert (reply.status, reply.json["code"]) == (501, 501)
    assert "imbachat.com" in reply.json["error"]


def test_guesses_are_counted_and_a_good_pair_is_always_let_in(
    imbachat_before: Callable[..., Any],
) -> None:
    with imbachat_before(AUTH_FAILURE_LIMIT="3 per hour") as site:
        for _ in range(5):  # these guess nothing
            assert is_refused(site.get("/imbachat/users/6"))

            for junk in ("junk", encoded(LOGIN.encode()), encoded(b"\xff:\xff")):
                assert is_refused(site.get("/imbachat/users/6", f"Authorization: Basic {junk}"))

        for number in range(3):
            wrong = basic(LOGIN, f"{PASSWORD}{number}")
            assert is_refused(site.get("/imbachat/users/6", wrong, "X-Forwarded-For: 10.0.0.1"))

        refused = site.get("/imbachat/users/6", basic(LOGIN, "again"), "X-Forwarded-For: 10.0.0.2")
        assert (refused.status, refused.json["code"], refused.json["debug"]) == (429, 429, "")
        assert int(refused.header("Retry-After") or 0) > 0
        assert site.ask("/imbachat/users/6").status == 200
        assert is_refused(site.get("/imbachat/users/6"))


def test_no_credential_stands_in_the_log(site: Site) -> None:
    for field in (basic(LOGIN, PASSWORD), basic("who", PASSWORD), f"Authorization: {PASSWORD}"):
        site.get(f"/imbachat/users/6?Authorization={GOOD}", field)
        site.get(f"/imbachat/token/6?key={PASSWORD}", field)

    output = site.sidecar.output.read_text()
    assert PASSWORD not in output
    assert GOOD not in output
    assert "eyJ" not in output
