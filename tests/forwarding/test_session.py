"""The session: one upstream, no redirects, no cookies, and own calls that end in time."""

import contextlib
import dataclasses
import socket
import threading
import time
from collections.abc import Callable, Iterator
from email.message import Message
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.cookies import extract_cookies_to_jar

from chatproxy.errors import UpstreamError
from chatproxy.forwarding import Way
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.outbound import ENOUGH, ask
from chatproxy.forwarding.session import open_session, send
from chatproxy.forwarding.target import Upstream
from chatproxy.forwarding.timeouts import Limits

LIMITS = Limits(connect=5, read=0.5, total=1, body_idle=60, body_total=3600, body_bytes=1000)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


def session_to(url: str) -> requests.Session:
    return open_session(Upstream.at(url), time.monotonic, pool_size=1, max_age=300)


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example/api/app",
        "https://chat.example.org/api/app",
        "https://chat.example/apis",
        "http://chat.example/api/app",
        "https://chat.example:8443/api/app",
    ],
)
def test_nothing_leads_anywhere_else(url: str) -> None:
    session = session_to("https://chat.example/api")

    assert session.get_adapter("https://chat.example/api/app")

    with pytest.raises(requests.exceptions.InvalidSchema):
        session.get_adapter(url)


class Redirecting(BaseAdapter):
    """Answers every call with a redirect that `requests` can see."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str | None] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        self.asked.append(request.url)
        response = requests.Response()
        response.status_code, response.request = 302, request
        response.url = request.url or ""
        response.headers["Location"] = "http://chat.example/elsewhere"
        response.raw = SimpleNamespace(read=lambda *_, **__: b"", release_conn=lambda: None)
        return response

    def close(self) -> None:
        pass


def test_a_redirect_is_not_followed() -> None:
    """To another host `requests` would send on each credential that it does not know as one."""
    session, adapter = session_to("http://chat.example"), Redirecting()
    session.mount("http://chat.example/", adapter)
    call = requests.Request("GET", "http://chat.example/app").prepare()
    response, _ = send(session, cast(Call, call))

    assert response.status_code == 302
    assert adapter.asked == ["http://chat.example/app"]


def test_a_cookie_is_not_kept() -> None:
    """It would go out with the next user's request."""
    session = session_to("http://chat.example")
    request = requests.Request("GET", "http://chat.example/app").prepare()
    fields = Message()
    fields["Set-Cookie"] = "session=somebody; Path=/"
    answer = SimpleNamespace(_original_response=SimpleNamespace(msg=fields))
    extract_cookies_to_jar(session.cookies, request, answer)  # type: ignore[arg-type]

    assert list(session.cookies) == []


@contextlib.contextmanager
def answering(conduct: Callable[[socket.socket], None]) -> Iterator[Way]:
    """A server whose every connection goes the same way, and the way to it."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = listener.accept()

                with accepted, contextlib.suppress(OSError):
                    accepted.recv(65536)
                    conduct(accepted)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        upstream, session = Upstream.at(url), session_to(url)
        yield Way(upstream, session, frozenset())
        session.close()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def dripping(head: bytes, seconds: float) -> Callable[[socket.socket], None]:
    """Answer byte by byte, for longer than any test waits."""

    def conduct(sock: socket.socket) -> None:
        sock.sendall(head)

        for _ in range(int(8 / seconds)):
            sock.sendall(b"x")
            time.sleep(seconds)

    return conduct


@pytest.mark.parametrize(
    ("head", "seconds", "total"),
    [(HEAD[:30], 0.1, 1), (HEAD, 0.1, 1), (HEAD, 8, 30)],
    ids=["head", "body", "body that stalls"],
)
def test_an_own_call_ends_in_time_however_its_answer_drips(
    head: bytes, seconds: float, total: float
) -> None:
    """Somebody else's request waits for it: the limits of a forwarded body would be an hour."""
    limits = dataclasses.replace(LIMITS, total=total)

    with answering(dripping(head, seconds)) as way:
        started = time.monotonic()

        with pytest.raises(UpstreamError):
            ask(way, Call.own("GET", "/check"), limits, time.monotonic)

        assert time.monotonic() - started < 5


def test_an_own_call_reads_the_beginning_of_an_answer_only() -> None:
    def endless(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        while True:
            sock.sendall(b"x" * 65536)

    with answering(endless) as way:
        status, content = ask(way, Call.own("GET", "/check"), LIMITS, time.monotonic)

    assert status == 200
    assert ENOUGH <= len(content) < 4 * ENOUGH
