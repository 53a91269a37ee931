"""Who gets a socket, and what everybody else is answered."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from tests import canaries
from tests.calls import Reply, call
from tests.providers.imkit.conftest import Site
from tests.providers.imkit.rawsocket import QUERY, entered
from tests.providers.imkit.refusals import refusal
from tests.wire import answer_on, ask, connected, get

#: The example of RFC 6455 section 1.3.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
FIELDS = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}
PATH = "/imkit/socket.io/"
ALLOWED = "https://app.example"


@pytest.fixture(scope="module")
def served(imkit_before: Callable[..., Any]) -> Iterator[Site]:
    with imkit_before(IMKIT_MAX_SOCKETS="2", IMKIT_ALLOWED_ORIGINS=ALLOWED) as made:
        yield made


def lines_of(**changed: str | None) -> list[str]:
    """The fields of a good request, some of them changed, or left out."""
    fields = FIELDS | {name.replace("_", "-"): value for name, value in changed.items()}
    return [f"{name}: {value}" for name, value in fields.items() if value is not None]


def asked(site: Site, path: str = f"{PATH}?{QUERY}", **changed: str | None) -> Reply:
    """Ask for a socket. It must be refused: nobody closes one that is granted."""
    return call(site.sidecar.port, "GET", path, *lines_of(**changed))


@contextlib.contextmanager
def granted(site: Site, path: str = f"{PATH}?{QUERY}", **changed: str | None) -> Iterator[bytes]:
    """The head of an answer that grants a socket."""
    with connected(site.sidecar.port) as sock:
        sock.sendall(get(path, *lines_of(**changed)))
        head = b""

        while b"\r\n\r\n" not in head:
            head += sock.recv(1)

        yield head


@pytest.mark.parametrize("path", ["/imkit/socket.io", "/imkit/socket.io/"])
def test_the_opening_handshake(served: Site, path: str) -> None:
    with granted(served, f"{path}?{QUERY}") as head:
        status, *fields = head.decode().split("\r\n")

    assert status == "HTTP/1.1 101 Switching Protocols"
    assert "connection: upgrade" in map(str.lower, fields)
    assert f"Sec-WebSocket-Accept: {ACCEPT}" in fields
    assert not re.search(
        "extensions|protocol:|content-length|transfer-encoding", head.decode(), re.I
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"Connection": "keep-alive, Upgrade"},
        {"Upgrade": "WebSocket"},
        {"Sec_WebSocket_Extensions": "permessage-deflate"},
    ],
)
def test_what_a_request_may_be_as_well(served: Site, changed: dict[str, str]) -> None:
    with granted(served, **changed) as head:
        assert head.startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    "query",
    [
        "EIO=4&transport=polling",
        "EIO=4",
        "",
        "EIO=4&transport=websocket&transport=polling",
        "EIO=4&transport=webtransport",
        "EIO=4&transport=websocket&sid=abc",
    ],
)
def test_only_the_websocket_transport_is_served(served: Site, query: str) -> None:
    plain = call(served.sidecar.port, "GET", f"{PATH}?{query}")
    upgrading = asked(served, f"{PATH}?{query}")

    for reply in (plain, upgrading):
        assert refusal(reply) == (400, 400, "INVALID_REQUEST")
        assert "Only the WebSocket transport" in reply.json["RM"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_request_that_is_no_upgrade(served: Site, method: str) -> None:
    reply = call(
        served.sidecar.port, method, f"{PATH}?{QUERY}", body=b"" if method != "GET" else None
    )

    assert refusal(reply) == (400, 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "changed",
    [
        {"Connection": None},
        {"Connection": "close"},
        {"Upgrade": None},
        {"Upgrade": "h2c"},
        {"Sec_WebSocket_Version": None},
        {"Sec_WebSocket_Version": "8"},
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Key": "short"},
        {"Sec_WebSocket_Key": f"{KEY}, {KEY}"},
        {"Content_Length": "5"},
        {"Transfer_Encoding": "chunked"},
    ],
    ids=str,
)
def test_a_handshake_that_is_none(served: Site, changed: dict[str, str | None]) -> None:
    assert asked(served, **changed).status == 400


def test_the_version_that_is_spoken_is_named(served: Site) -> None:
    assert asked(served, Sec_WebSocket_Version="8").header("Sec-WebSocket-Version") == "13"


@pytest.mark.parametrize("revision", ["EIO=3&", "EIO=5&", "EIO=abc&", "", "EIO=4&EIO=3&"])
def test_another_revision_of_the_protocol(served: Site, revision: str) -> None:
    reply = asked(served, f"{PATH}?{revision}transport=websocket")

    assert (reply.status, "EIO must be 4" in reply.json["RM"]) == (400, True)


def test_a_request_of_http_1_0(served: Site) -> None:
    request = get(f"{PATH}?{QUERY}", *lines_of()).replace(b"HTTP/1.1", b"HTTP/1.0", 1)

    assert ask(served.sidecar.port, request).status == 400


def test_nothing_is_below_the_path(served: Site) -> None:
    assert asked(served, f"{PATH}more?{QUERY}").status == 404
    assert call(served.sidecar.port, "GET", f"{PATH}more").status == 404


@pytest.mark.parametrize(
    "origin", [None, ALLOWED, "http://localhost"], ids=["no page", "allowed", "its own host"]
)
def test_whose_pages_may_open_a_socket(served: Site, origin: str | None) -> None:
    with granted(served, Origin=origin) as head:
        assert head.startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://app.example.evil.example", "null", "", "localhost"]
)
def test_whose_pages_may_not(served: Site, origin: str) -> None:
    assert refusal(asked(served, Origin=origin)) == (403, 403, "INSUFFICIENT_PERMISSIONS")


def test_every_page_may_where_the_settings_say_so(imkit_before: Callable[..., Any]) -> None:
    with (
        imkit_before(IMKIT_ALLOWED_ORIGINS="*") as site,
        granted(site, Origin="https://any.example") as head,
    ):
        assert head.startswith(b"HTTP/1.1 101 ")


def test_there_are_so_many_sockets_and_no_more(served: Site) -> None:
    with entered(served.sidecar.port) as first:
        with entered(served.sidecar.port):
            refused = asked(served)
            others = call(served.sidecar.port, "GET", "/-/healthz")

        room_again = _soon_granted(served)
        assert first.ask("conf")["RC"] == 0

    assert refusal(refused) == (503, 503, "SERVICE_UNAVAILABLE")
    assert refused.header("Retry-After") == "1"
    assert others.status == 200
    assert room_again


def test_who_never_authenticates_keeps_nobody_out(served: Site) -> None:
    token = served.token("authenticating")

    with entered(served.sidecar.port) as client, entered(served.sidecar.port) as idler:
        assert client.ask("auth", token)["RC"] == 0
        started = time.monotonic()

        assert _soon_granted(served)
        assert time.monotonic() - started < 8  # else it was the end of every such socket
        assert idler.closed_with() == 1013
        assert client.ask("conf")["RC"] == 0


def test_sockets_take_no_more_than_half_of_the_connections(
    imkit_before: Callable[..., Any],
) -> None:
    """Else a crowd of them would leave no room for calls."""
    with imkit_before(WORKER_CONNECTIONS="20") as site, contextlib.ExitStack() as stack:
        heads = [stack.enter_context(granted(site)) for _ in range(60)]
        assert heads[0].startswith(b"HTTP/1.1 101 ")
        assert any(head.startswith(b"HTTP/1.1 503 ") for head in heads)
        started = time.monotonic()

        assert call(site.sidecar.port, "GET", "/-/healthz").status == 200
        assert time.monotonic() - started < 5  # else it was the end of sockets without a token


def _soon_granted(site: Site) -> bool:
    until = time.monotonic() + 5

    while time.monotonic() < until:
        with granted(site) as head:
            if head.startswith(b"HTTP/1.1 101 "):
                return True

        time.sleep(0.05)

    return False


def test_a_refused_request_takes_no_place(served: Site) -> None:
    for _ in range(5):
        asked(served, Origin="https://evil.example")
        asked(served, Sec_WebSocket_Key="short")

    assert _soon_granted(served)


def test_a_caller_that_leaves_at_once_takes_no_place(served: Site) -> None:
    for _ in range(5):
        with connected(served.sidecar.port) as sock:
            sock.sendall(get(f"{PATH}?{QUERY}", *lines_of()))

    assert _soon_granted(served)


def test_a_refusal_leaves_the_connection_for_the_next_request(served: Site) -> None:
    with connected(served.sidecar.port) as sock:
        sock.sendall(get(f"{PATH}?EIO=4&transport=polling"))
        assert answer_on(sock).status == 400
        sock.sendall(get("/-/healthz"))
        assert answer_on(sock).status == 200


def test_another_server_cannot_hand_its_connection_over(tmp_path: Path) -> None:
    environ = {"PROVIDERS": "imkit", "KEY_SIGNING_SECRET": canaries.KEY_SIGNING_SECRET}
    environ["DATABASE_URL"] = f"sqlite:///{tmp_path}/directory.db"
    app = create_app(settings.load(SETTINGS, environ))
    fields = [(name, value) for name, value in FIELDS.items()]
    reply = app.test_client().get(f"{PATH}?{QUERY}", headers=fields)
    app.extensions["chatproxy"].close()

    assert (reply.status_code, reply.json["RC"]) == (501, 501)


def test_without_the_extra_the_answer_says_what_is_missing(
    imkit_before: Callable[..., Any], tmp_path: Path
) -> None:
    """The interpreter is told that there are no such packages, before anybody looks."""
    hiding = (
        "from importlib.machinery import PathFinder\n"
        "found, hidden = PathFinder.find_spec, ('socketio', 'engineio', 'wsproto')\n"
        "PathFinder.find_spec = lambda name, *rest: (\n"
        "    None if name.partition('.')[0] in hidden else found(name, *rest)\n"
        ")\n"
    )
    (tmp_path / "sitecustomize.py").write_text(hiding)

    with imkit_before(PYTHONPATH=str(tmp_path)) as site:
        upgrading, plain = asked(site), call(site.sidecar.port, "GET", PATH)
        token = site.token("without")
        assert site.verify(token).status == 200

    for reply in (upgrading, plain):
        assert refusal(reply) == (501, 501, "NOT_IMPLEMENTED")
        assert "chatproxy[socketio]" in reply.json["RM"]
