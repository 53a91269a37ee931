"""`/performchat/proxy/*`: the key's halves are put into the JSON body."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import wire
from tests.calls import Reply, call
from tests.canaries import CENTRIFUGO_KEY, CHATSDK_KEY
from tests.providers.performchat.conftest import Company
from tests.upstream import PerformChatUpstream

PROXY = "/performchat/proxy"
ECHO = f"{PROXY}/rest/v1/conversations"
KEY_ID, KEY_SECRET = CHATSDK_KEY, CENTRIFUGO_KEY


@pytest.fixture(scope="module")
def server() -> Iterator[PerformChatUpstream]:
    with PerformChatUpstream(KEY_ID, KEY_SECRET) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def behind(
    server: PerformChatUpstream, performchat_before: Callable[..., Any]
) -> Iterator[Company]:
    with performchat_before(
        PERFORMCHAT_BASE_URL=server.url,
        PERFORMCHAT_KEY_ID=KEY_ID,
        PERFORMCHAT_KEY_SECRET=KEY_SECRET,
    ) as company:
        yield company


def ask(behind: Company, method: str, path: str, *fields: str, body: Any = None) -> Reply:
    return call(behind.sidecar.port, method, path, *fields, body=body)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_call_without_a_body_gets_one(behind: Company, method: str) -> None:
    reply = ask(behind, method, ECHO)

    assert (reply.status, reply.json) == (200, {"method": method, "body": {}})


def test_what_was_said_arrives_beside_the_key(behind: Company, server: PerformChatUpstream) -> None:
    body = {"name": "Ünï 👋", "n": 1.5, "deep": [{"a": None}], "big": 2**60}
    reply = ask(behind, "POST", ECHO, body=body)

    assert reply.json["body"] == body
    assert json.loads(server.journal[0].body)["keyId"] == KEY_ID


def test_a_callers_own_halves_are_replaced(behind: Company, server: PerformChatUpstream) -> None:
    body = {"keyId": "mine", "keySecret": "mine", "x": 1}
    reply = ask(behind, "POST", f"{ECHO}?keyId=mine", "keyId: mine", body=body)

    assert reply.json["body"] == {"x": 1}
    assert server.journal[0].target == "/rest/v1/conversations"


def test_a_chunked_body_is_read_too(behind: Company) -> None:
    head = f"POST {ECHO} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    raw = head + 'Transfer-Encoding: chunked\r\n\r\n7\r\n{"x":1}\r\n0\r\n\r\n'

    assert json.loads(wire.ask(behind.sidecar.port, raw.encode()).body)["body"] == {"x": 1}


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", ""])
def test_another_type_is_415(behind: Company, content_type: str) -> None:
    reply = ask(behind, "POST", ECHO, f"Content-Type: {content_type}", body=b"x=1")

    assert (reply.status, reply.json["statusCode"]) == (415, 415)


def test_a_coded_body_is_415(behind: Company) -> None:
    reply = ask(behind, "POST", ECHO, "Content-Encoding: gzip", body={"x": 1})

    assert reply.status == 415


def test_what_described_the_old_body_goes(behind: Company, server: PerformChatUpstream) -> None:
    fields = ("Content-Type: application/json; charset=utf-16", "Content-MD5: x", "Digest: x")
    ask(behind, "POST", ECHO, *fields, body={"x": 1})

    (arrived,) = server.journal
    assert arrived.values("content-type") == ["application/json"]
    assert arrived.values("content-md5") + arrived.values("digest") == []


def test_an_empty_body_is_none(behind: Company) -> None:
    head = f"POST {ECHO} HTTP/1.1\r\nHost: localhost\r\n"

    for rest in ("Content-Length: 0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
        reply = wire.ask(behind.sidecar.port, (head + rest).encode())
        assert json.loads(reply.body) == {"method": "POST", "body": {}}


def test_a_call_on_a_stale_connection_is_repeated(
    behind: Company, server: PerformChatUpstream
) -> None:
    """The body that was put in can be sent again."""
    assert ask(behind, "GET", ECHO).status == 200
    server.faults.next("eof", path="/rest/v1/conversations")

    assert ask(behind, "GET", ECHO).status == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b'{"a":1,"a":2}', b"\xff"])
def test_what_is_no_plain_object_is_400(
    behind: Company, server: PerformChatUpstream, body: bytes
) -> None:
    assert ask(behind, "POST", ECHO, body=body).status == 400
    assert len(list(server.journal)) == 0


def test_a_body_above_the_bound_is_413(behind: Company, server: PerformChatUpstream) -> None:
    assert ask(behind, "POST", ECHO, body={"x": "y" * (1024 * 1024)}).status == 413
    assert len(list(server.journal)) == 0


def test_the_check_up_asks_with_the_key(behind: Company, server: PerformChatUpstream) -> None:
    assert ask(behind, "GET", "/-/check-up").status == 200
    assert [one.target for one in server.journal] == ["/rest/v1/agents?limit=1"]


def test_a_refused_key_shows_on_ready(
    server: PerformChatUpstream, performchat_before: Callable[..., Any]
) -> None:
    with performchat_before(
        PERFORMCHAT_BASE_URL=server.url,
        PERFORMCHAT_KEY_ID=KEY_ID,
        PERFORMCHAT_KEY_SECRET="sk_wrong",
    ) as company:
        assert ask(company, "GET", ECHO).status == 401
        assert "credentials" not in ask(company, "GET", "/-/ready").json

        assert ask(company, "GET", "/-/check-up").status == 503
        assert "performchat" in ask(company, "GET", "/-/ready").json["credentials"]


def test_without_a_server_a_clear_503(company: Company) -> None:
    reply = ask(company, "GET", ECHO)

    assert (reply.status, list(reply.json)) == (503, ["statusCode", "message", "error"])
    assert "PERFORMCHAT_BASE_URL" in reply.json["message"]
