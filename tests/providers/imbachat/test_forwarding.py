"""`/imbachat/proxy/*`, before a strict stand-in for imbachat.com."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.calls import call
from tests.providers.imbachat.conftest import DEV_ID, LOGIN, PASSWORD, SECRET_KEY, Site, basic
from tests.sidecar import free_port
from tests.upstream import ImbaChatUpstream

SEND = f"/imbachat/proxy/imbachat/v2/{DEV_ID}/send_msg"
FORM = "Content-Type: application/x-www-form-urlencoded"
MESSAGE = {"user_id": "6", "room_id": "1", "message": "Привет & bye"}
OURS = f"Basic {b64encode(f'{DEV_ID}:{SECRET_KEY}'.encode()).decode()}"


@pytest.fixture(scope="module")
def server() -> Iterator[ImbaChatUpstream]:
    with ImbaChatUpstream(DEV_ID, SECRET_KEY) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def behind(server: ImbaChatUpstream, imbachat_before: Callable[..., Any]) -> Iterator[Site]:
    with imbachat_before(IMBACHAT_BASE_URL=server.url) as site:
        yield site


def test_a_message_is_sent_with_the_widgets_credentials(
    behind: Site, server: ImbaChatUpstream
) -> None:
    body = urlencode(MESSAGE).encode()
    reply = call(behind.sidecar.port, "POST", SEND, FORM, body=body)

    assert (reply.status, reply.json["success"]) == (200, True)
    assert reply.json["message"]["message"] == MESSAGE["message"]
    (arrived,) = server.journal
    assert arrived.target == f"/imbachat/v2/{DEV_ID}/send_msg"
    assert arrived.values("authorization") == [OURS]
    assert arrived.body == body


@pytest.mark.parametrize(
    "fields",
    [
        (basic(LOGIN, PASSWORD),),
        (basic("x", "y"), "Connection: authorization"),
        ("Authorization: Bearer x", "Cookie: a=b", "X-Forwarded-For: 10.0.0.1"),
    ],
)
def test_a_callers_credential_is_replaced(
    behind: Site, server: ImbaChatUpstream, fields: tuple[str, ...]
) -> None:
    path = "/imbachat/proxy/_sandbox/echo?authorization=x&Authorization=y&a=%2F"
    reply = behind.get(path, *fields)

    assert (reply.status, reply.json["target"]) == (200, "/_sandbox/echo?a=%2F")
    assert server.journal[0].values("authorization") == [OURS]


def test_bodies_cross_byte_for_byte(behind: Site) -> None:
    payload = bytes(range(256)) * 1000
    path = "/imbachat/proxy/_sandbox/echo"
    reply = call(behind.sidecar.port, "POST", path, "Content-Type: a/b", body=payload)

    assert reply.json["sha256"] == hashlib.sha256(payload).hexdigest()


def test_the_servers_own_refusal_comes_back_as_it_is(behind: Site) -> None:
    reply = call(behind.sidecar.port, "POST", SEND, FORM, body=b"user_id=6")

    assert reply.status == 422
    assert reply.json == {"code": 422, "success": False, "error": "room_id is required"}


def test_the_check_up_asks_for_the_widgets_script(behind: Site, server: ImbaChatUpstream) -> None:
    assert behind.get("/-/check-up").status == 200
    assert [one.target for one in server.journal] == [f"/imbachat/v1/{DEV_ID}/widget"]


def test_a_refused_secret_shows_on_ready(
    server: ImbaChatUpstream, imbachat_before: Callable[..., Any]
) -> None:
    with imbachat_before(IMBACHAT_BASE_URL=server.url, IMBACHAT_SECRET_KEY="w" * 40) as site:
        assert "credentials" not in site.get("/-/ready").json
        assert site.get("/imbachat/proxy/x").status == 401
        assert "imbachat" in site.get("/-/ready").json["credentials"]


def test_a_server_that_is_away_is_502_in_the_same_shape(
    imbachat_before: Callable[..., Any],
) -> None:
    with imbachat_before(IMBACHAT_BASE_URL=f"http://127.0.0.1:{free_port()}") as site:
        reply = site.get("/imbachat/proxy/x", "X-Request-Id: away")
        line = site.sidecar.wait_for_line(req_id="away")

    assert (reply.status, list(reply.json)) == (502, ["code", "version", "error", "debug"])
    assert (reply.json["code"], line["brokenBy"]) == (502, "upstream")


def test_without_a_widget_nothing_is_forwarded_nor_asked(
    imbachat_before: Callable[..., Any],
) -> None:
    """A local run has no account: it must not call imbachat.com, nor fail for want of it."""
    with imbachat_before(IMBACHAT_DEV_ID="") as site:
        reply = site.get("/imbachat/proxy/x")
        assert (reply.status, reply.json["code"]) == (503, 503)
        assert "IMBACHAT_DEV_ID" in reply.json["error"]
        assert site.get("/-/check-up").status == 200
        assert site.get("/imbachat/token/6").status == 200
        assert "/no-dev-id/" in site.get("/imbachat/widget/6").json["scriptUrl"]


def test_below_a_prefix_all_is_found_and_the_server_sees_none_of_it(
    server: ImbaChatUpstream, imbachat_before: Callable[..., Any]
) -> None:
    with imbachat_before(SERVICE_PREFIX="/chat", IMBACHAT_BASE_URL=f"{server.url}/") as site:
        assert site.ask("/chat/imbachat/users/6").json == []
        assert site.get("/chat/imbachat/users/6").json["error"] == "Authenticate required!"
        assert site.get("/chat/imbachat/token/6").status == 200
        assert site.get("/chat/imbachat/proxy/_sandbox/echo").status == 200
        assert site.get("/imbachat/token/6").status == 404

    assert [one.target for one in server.journal] == ["/_sandbox/echo"]
