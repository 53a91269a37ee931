"""What is HTTP and what is not, and that nothing of a request is lost on the way in."""

import hashlib
import json
import threading

import pytest

from tests.sandbox.client import CREDENTIALS, Client, look, request_bytes, with_key
from tests.upstream import StreamUpstream

HOST = b"Host: stand-in\r\n"
ECHO = with_key("/_sandbox/echo").encode()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"GET /app HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET /app HTTP/1.1\r\n" + HOST * 2 + b"\r\n", 400, id="two hosts"),
        pytest.param(b"junk\r\n\r\n", 400, id="junk"),
        pytest.param(b"GET /app HTTP/1.1\r\nHost : a\r\n\r\n", 400, id="space before colon"),
        pytest.param(b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="space in target"),
        pytest.param(
            b"POST /app HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
            id="two lengths",
        ),
        pytest.param(
            b"POST /app HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n\r\n", 400, id="odd length"
        ),
        pytest.param(
            b"POST /app HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n",
            501,
            id="unknown coding",
        ),
        pytest.param(
            b"POST /app HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
            id="bad chunk",
        ),
        pytest.param(
            b"GET /app HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
            431,
            id="huge head",
        ),
    ],
)
def test_what_is_no_http_is_refused_noted_and_closed(
    client: Client, stand_in: StreamUpstream, sent: bytes, status: int
) -> None:
    seen = client.see(sent, 3)

    assert seen.status == status
    assert seen.ending == "FIN"
    noted = stand_in.journal.wait_for(lambda r: r.malformed is not None)
    assert noted.head[:60] == sent[:60]


def test_a_request_is_journaled_as_it_came(client: Client, stand_in: StreamUpstream) -> None:
    fields = {"X-MiXeD": "Käse", **CREDENTIALS, "x-mixed": "again"}
    sent = request_bytes("POST", with_key("/a%2Fb//c?q=%zz&q=+"), fields, b"body")
    client.see(sent, 0.2)

    noted = stand_in.journal[0]
    assert noted.head + noted.body == sent
    assert noted.target == with_key("/a%2Fb//c?q=%zz&q=+")
    assert (b"X-MiXeD", "Käse".encode("latin-1")) in noted.headers
    assert noted.values("X-Mixed") == ["Käse", "again"]
    assert (noted.framing, noted.body_size, noted.complete) == ("sized", 4, True)
    assert noted.body_sha256 == hashlib.sha256(b"body").hexdigest()


def test_a_chunked_body_is_read_and_called_chunked(client: Client) -> None:
    fields = {**CREDENTIALS, "Transfer-Encoding": "chunked"}
    body = b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
    seen = client.see(request_bytes("PUT", ECHO.decode(), fields, body), 0.3)

    told = json.loads(seen.body)
    assert (told["size"], told["framing"], told["method"]) == (6, "chunked", "PUT")
    assert told["sha256"] == hashlib.sha256(b"hello!").hexdigest()


def test_one_connection_carries_many_requests_also_at_once(
    client: Client, stand_in: StreamUpstream
) -> None:
    one = request_bytes("GET", ECHO.decode(), CREDENTIALS)
    with client.connect() as sock:
        sock.sendall(one * 3)
        seen = look(sock, 0.3)

    assert seen.raw.count(b"HTTP/1.1 200 OK") == 3
    assert {noted.connection for noted in stand_in.journal} == {1}


def test_close_is_honoured(client: Client) -> None:
    asked = request_bytes("GET", ECHO.decode(), {**CREDENTIALS, "Connection": "close"})
    old = b"GET " + ECHO + b" HTTP/1.0\r\nAuthorization: x\r\n\r\n"

    assert client.see(asked).ending == "FIN"
    assert client.see(old).ending == "FIN"


def test_who_expects_100_is_told_to_go_on(client: Client) -> None:
    fields = {**CREDENTIALS, "Expect": "100-continue", "Content-Length": "2"}
    with client.connect() as sock:
        sock.sendall(request_bytes("POST", ECHO.decode(), fields))
        assert sock.recv(100).startswith(b"HTTP/1.1 100 ")

        sock.sendall(b"hi")
        assert look(sock, 0.3).status == 200


def test_head_has_the_length_and_no_body(client: Client) -> None:
    seen = client.see(request_bytes("HEAD", with_key("/_sandbox/bytes?size=9"), CREDENTIALS), 0.3)

    assert b"content-length: 9" in seen.head
    assert seen.body == b""


def test_300_connections_are_served_at_once(client: Client, stand_in: StreamUpstream) -> None:
    """Each holds its connection until all have one, so no queue could serve them in turn."""
    sent = request_bytes("GET", ECHO.decode(), CREDENTIALS)
    gate, statuses = threading.Barrier(300), []

    def one() -> None:
        with client.connect() as sock:
            gate.wait(30)
            sock.sendall(sent)
            statuses.append(sock.recv(65536)[9:12])
            gate.wait(30)

    threads = [threading.Thread(target=one) for _ in range(300)]
    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join(60)

    assert statuses == [b"200"] * 300
    assert len({noted.connection for noted in stand_in.journal}) == 300
