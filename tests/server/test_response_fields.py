"""The head of an answer: what may be in it, and what the server adds."""

from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException

from chatproxy.server import response
from chatproxy.server.response import Response
from tests.server.test_request import configured

NOW = 1_800_000_000.0
DATE = "Date: Fri, 15 Jan 2027 08:00:00 GMT"

REFUSED: dict[str, tuple[Any, Any]] = {
    "a line's end in a value": ("X-A", "b\r\nX-B: c"),
    "a CR": ("X-A", "b\rc"),
    "a LF": ("X-A", "b\nc"),
    "a NUL": ("X-A", "b\0c"),
    "a DEL": ("X-A", "b\x7fc"),
    "beyond Latin-1": ("X-A", "\u4e2d"),
    "a line's end in a name": ("X-A\r\n", "b"),
    "a space in a name": ("X A", "b"),
    "a colon in a name": ("X:A", "b"),
    "an empty name": ("", "b"),
    "a name beyond ASCII": ("X-\xe9", "b"),
    "a name of bytes": (b"X-A", "b"),
    "a name that is none": (["X-A"], "b"),
    "a value of bytes": ("X-A", b"b"),
    "a number": ("X-A", 1),
    "nothing": ("X-A", None),
    "a length that is none": ("Content-Length", "many"),
}


class Socket:
    """Takes what it is given, a part of it each time."""

    def __init__(self, most: int = 1 << 20) -> None:
        self.most = most
        self.sent: list[bytes] = []
        self.limit: float | None = None

    def send(self, data: bytes, flags: int = 0, timeout: float | None = None) -> int:
        assert timeout == 0.0

        if not self.most:
            raise BlockingIOError

        self.sent.append(bytes(data[: self.most]))
        return len(self.sent[-1])

    def settimeout(self, limit: float | None) -> None:
        self.limit = limit

    def sendall(self, data: bytes) -> None:
        assert self.limit == 7.0
        self.sent.append(bytes(data))


def answered(
    *fields: tuple[Any, Any],
    status: str = "200 OK",
    sock: Socket | None = None,
    version: tuple[int, int] = (1, 1),
) -> tuple[Response, Socket]:
    sock = sock or Socket()
    request = SimpleNamespace(method="GET", version=version, should_close=lambda: False)
    made = Response(request, sock, configured())
    made.start_response(status, list(fields))
    return made, sock


def lines(sock: Socket) -> list[str]:
    return b"".join(sock.sent).decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")


@pytest.fixture(autouse=True)
def at_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response, "_now", lambda: NOW)
    monkeypatch.setattr(Response, "write_limit", 7.0)


@pytest.mark.parametrize("field", REFUSED.values(), ids=REFUSED)
def test_what_gunicorn_refuses_is_refused(field: tuple[Any, Any]) -> None:
    plain = wsgi.Response(SimpleNamespace(method="GET", version=(1, 1)), Socket(), configured())

    with pytest.raises((TypeError, ValueError, ParseException)) as theirs:
        plain.start_response("200 OK", [("X-First", "1"), field])

    with pytest.raises(theirs.type):
        answered(("X-First", "1"), field)


def test_the_server_adds_what_is_missing() -> None:
    made, sock = answered(("Content-Length", "2"), ("X-A", "\xe9\tb"))
    made.write(b"{}")
    made.close()

    assert len(sock.sent) == 1
    assert lines(sock) == [
        "HTTP/1.1 200 OK",
        f"Server: {made.version}",
        DATE,
        "Connection: keep-alive",
        "Content-Length: 2",
        "X-A: \xe9\tb",
    ]


def test_a_date_is_that_of_its_second(monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, date in ((0.9, DATE), (1.0, DATE.replace("08:00:00", "08:00:01"))):
        monkeypatch.setattr(response, "_now", lambda seconds=seconds: NOW + seconds)
        made, sock = answered(("Content-Length", "0"))
        made.close()
        assert date in lines(sock)


def test_what_the_answer_brings_is_kept_and_what_is_of_one_connection_is_not() -> None:
    own = ("Date", "yesterday"), ("SERVER", "its own"), ("Content-Length", "0")
    dropped = ("Keep-Alive", "1"), ("Upgrade", "x"), ("TE", "x"), ("Transfer-Encoding", "chunked")
    made, sock = answered(*own, *dropped, status="204 No Content")
    made.close()

    assert lines(sock) == [
        "HTTP/1.1 204 No Content",
        "Connection: keep-alive",
        "Date: yesterday",
        "SERVER: its own",
    ]


def test_an_answer_without_length_comes_in_chunks() -> None:
    made, sock = answered(("Date", "x"), ("Server", "x"), ("Connection", "close"))
    made.write(b"")
    made.write(b"{}")
    made.close()

    assert made.should_close()
    assert lines(sock)[:3] == ["HTTP/1.1 200 OK", "Connection: close", "Transfer-Encoding: chunked"]
    assert sock.sent[1:] == [b"2\r\n{}\r\n", b"0\r\n\r\n"]


def test_a_switch_names_its_protocol_and_is_the_last() -> None:
    made, sock = answered(
        ("Connection", "Upgrade"), ("Upgrade", "websocket"), status="101 Switching Protocols"
    )
    made.close()

    assert made.should_close()
    assert {"Connection: upgrade", "Upgrade: websocket"} <= set(lines(sock))


@pytest.mark.parametrize("most", [0, 1, 50])
def test_what_is_not_taken_at_once_is_waited_for_within_the_limit(most: int) -> None:
    made, sock = answered(("Content-Length", "100"), sock=Socket(most))
    made.write(b"x" * 100)

    assert b"".join(sock.sent).endswith(b"\r\n\r\n" + b"x" * 100)
    assert b"".join(sock.sent).count(b"HTTP/1.1") == 1
    assert sock.limit is None
