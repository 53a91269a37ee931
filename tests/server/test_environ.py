"""The environ of a request is the one that gunicorn makes."""

import itertools
from typing import Any

import pytest
from gunicorn.http import wsgi

from chatproxy.server import environ
from chatproxy.server.environ import Environs
from chatproxy.server.request import Parser
from tests.server.test_request import configured

CALLER = ("127.0.0.1", 4711)
SERVER = ("127.0.0.1", 8080)
MADE_ANEW = ("wsgi.input", "wsgi.errors", "wsgi.early_hints")

REQUESTS: dict[str, tuple[str, ...]] = {
    "without fields": (),
    "with fields": ("Host: a", "Accept: */*", "Content-Type: x", "Content-Length: 0"),
    "with fields that are there again": ("X-A: 1", "X-B: 2", "x-a: 3", "X-A: ", "Cookie: a"),
    "with a name that looks like ours": ("Script-Name: /a", "Host: b"),
    "with a shift of its path": ("SCRIPT_NAME: /a", "X-A: 1"),
    "with another": ("SCRIPT_NAME: /z",),
    "of a proxy": ("X-A: 1.1.1.1",),
}


class Socket:
    def __init__(self) -> None:
        self.sent = b""

    def send(self, data: bytes) -> None:
        self.sent += data


def made(create: Any, head: bytes, caller: Any, server: Any) -> Any:
    cfg = configured(forwarded_allow_ips="*", forwarder_headers="SCRIPT_NAME")
    request = next(Parser(cfg, iter([head]), ("127.0.0.1", 1)))
    sock = Socket()

    if b"1.1.1.1" in head:
        request.proxy_protocol_info = {
            "proxy_protocol": "TCP4",
            "client_addr": "1.1.1.1",
            "client_port": 1,
            "proxy_addr": "2.2.2.2",
            "proxy_port": 2,
        }

    try:
        response, environ = create(request, sock, caller, server, cfg)
    except Exception as error:
        return type(error), str(error), sock.sent

    assert isinstance(response, wsgi.Response)
    assert environ["wsgi.input"] is request.body
    assert environ.pop("gunicorn.socket") is sock
    return {name: value for name, value in environ.items() if name not in MADE_ANEW}, sock.sent


@pytest.mark.parametrize("fields", REQUESTS.values(), ids=REQUESTS)
def test_it_has_the_same_in_it(fields: tuple[str, ...]) -> None:
    ours = Environs(configured(), wsgi.create).create
    addresses = ((CALLER, SERVER), ("", "/run/socket"), (("::1", 1, 0, 0), ("::1", 2, 0, 0)))
    firsts = ("GET / HTTP/1.1", "POST /a/%C3%A9%2f?b=%20&c HTTP/1.0")
    expectations = ((), ("Expect: 100-continue",))

    for first, more, (caller, server) in itertools.product(firsts, expectations, addresses):
        head = "\r\n".join([first, *fields, *more, "", ""]).encode()
        assert made(ours, head, caller, server) == made(wsgi.create, head, caller, server)


def test_it_is_nobody_elses() -> None:
    create = Environs(configured(), wsgi.create).create
    first, _ = made(create, b"GET / HTTP/1.1\r\nX-A: 1\r\n\r\n", CALLER, SERVER)
    second, _ = made(create, b"GET / HTTP/1.1\r\n\r\n", CALLER, SERVER)

    assert "HTTP_X_A" in first
    assert "HTTP_X_A" not in second


@pytest.mark.parametrize("settings", [{}, {"raw_env": ["SCRIPT_NAME=/a"]}])
def test_a_shift_by_a_variable_is_left_to_gunicorn(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = wsgi.create
    monkeypatch.setattr(wsgi, "create", plain)
    environ.install(configured(**settings))

    assert (wsgi.create is plain) == bool(settings)
