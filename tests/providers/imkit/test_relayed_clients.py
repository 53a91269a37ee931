"""Socket.IO's own clients, unmodified, through the client door to a Socket.IO server."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
import trustme

from tests.calls import call
from tests.canaries import IMKIT_CLIENT_KEY, IMKIT_KEY
from tests.providers.imkit.conftest import Site
from tests.providers.imkit.rawsocket import QUERY, RawSocket, raw_socket
from tests.providers.imkit.refusals import refused_with
from tests.providers.imkit.relayed import SocketServer, door_of, relaying, socket_server
from tests.scraping import scrape
from tests.sidecar import bare_environ
from tests.test_sdks import needs_node_sdks, run

pytestmark = [needs_node_sdks, pytest.mark.node]

VERSIONS = ("2", "3", "4")

#: Seconds in which a socket must have ended; see `test_socket_ends`.
WITHIN = 2.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of an authority and of a server's certificate: the tunnel is led through TLS."""
    folder = tmp_path_factory.mktemp("tls")
    made = trustme.CA()
    made.cert_pem.write_to_path(str(folder / "ca.pem"))
    made.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(
        str(folder / "server.pem")
    )
    return {"ca": str(folder / "ca.pem"), "server": str(folder / "server.pem")}


@pytest.fixture(scope="module")
def socketio(authority: dict[str, str]) -> Iterator[SocketServer]:
    with socket_server(TLS_FILE=authority["server"]) as made:
        yield made


@pytest.fixture(scope="module")
def site(
    socketio: SocketServer, authority: dict[str, str], imkit_before: Callable[..., Any]
) -> Iterator[Site]:
    few = {
        "UPSTREAM_CA_FILE": authority["ca"],
        "WORKERS": "2",
        "MAX_BODY_BYTES": "3000000",
        "UPSTREAM_READ_TIMEOUT": "1",
    }
    keys = {"IMKIT_API_KEY": IMKIT_KEY, "IMKIT_CLIENT_KEY": IMKIT_CLIENT_KEY}

    with imkit_before(**relaying(socketio.url), **keys, **few) as made:
        yield made


def test_every_version_works_by_every_transport(site: Site, socketio: SocketServer) -> None:
    token = site.token("node", nickname="Zoë 🙂")
    transports = ("websocket only", "websocket first", "polling first", "polling only")
    report = run(
        "imkit_relay.mjs",
        bare_environ()
        | {"IMKIT_URL": f"http://127.0.0.1:{door_of(site)}", "CLIENT_KEY": site.client_key}
        | {"TOKEN": token, "VERSIONS": ",".join(VERSIONS), "TRANSPORTS": ",".join(transports)},
    )

    assert report["failures"] == []
    assert len(report["calls"]) == 2 * len(VERSIONS) * len(transports)
    header = {"CLIENT_KEY": IMKIT_CLIENT_KEY, "Authorization": token}
    found = socketio.seen()["signIns"]
    assert [one for one in found if one[0] == "auth2"] == [["auth2", token, header]] * 12
    assert [one for one in found if one[0] == "auth"] == [["auth", token]] * 24


@contextmanager
def opened(site: Site, query: str = QUERY, **options: Any) -> Iterator[RawSocket]:
    """A socket at the client door, to the server behind it."""
    with raw_socket(door_of(site), query, **options) as made:
        yield made


def handshake(site: Site, query: str, *fields: str, path: str = "/socket.io/") -> Any:
    """Ask for a socket; return the answer, which is to be a refusal."""
    ours = (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    return call(door_of(site), "GET", f"{path}?{query}", *ours, *fields)


def last_handshake(server: SocketServer) -> Any:
    return server.seen()["handshakes"][-1]


def test_the_server_sees_our_credentials_and_none_of_the_callers(
    site: Site, socketio: SocketServer
) -> None:
    token = site.token("seen")
    fields = [
        f"IM-Client-Key: {site.client_key}",
        f"IM-Authorization: {token}",
        "IM-CLIENT-ID: mallory",
        "IM-API-KEY: x",
        "API_KEY: x",
        "Authorization: x",
        "Cookie: a=b",
        "X-Forwarded-For: 1.2.3.4",
        "Sec-WebSocket-Extensions: permessage-deflate",
        "IM-Device-ID: d1",
    ]
    query = f"{QUERY}&api_key=x&IM-CLIENT-ID=mallory&CLIENT_KEY={quote(site.client_key)}&keep=%2F"

    with opened(site, query, header=fields) as socket:
        assert socket.enter().ask("echo", 1) == 1
        seen = last_handshake(socketio)

    headers = {name: value for name, value in seen["headers"].items() if name != "host"}
    assert headers["im-client-key"] == IMKIT_CLIENT_KEY
    assert headers["im-authorization"] == token
    assert headers["im-client-id"] == "seen"
    assert headers["im-device-id"] == "d1"
    gone = {"im-api-key", "api_key", "authorization", "cookie", "sec-websocket-extensions"}
    assert not (gone | {"x-forwarded-for", "client_key"}) & headers.keys()
    assert seen["query"] == {
        "CLIENT_KEY": IMKIT_CLIENT_KEY,
        "EIO": "4",
        "transport": "websocket",
        "keep": "/",
    }


def test_a_token_in_the_query_signs_in(site: Site, socketio: SocketServer) -> None:
    token = site.token("in-query")

    with opened(site, f"{QUERY}&token={quote(f'Bearer {token}')}") as socket:
        socket.enter()
        seen = last_handshake(socketio)
        site.unbind("in-query")
        started = time.monotonic()
        assert socket.hear() == "41"
        assert socket.closed_with() == 1008

    assert time.monotonic() - started < WITHIN
    assert seen["query"]["token"] == token
    assert seen["headers"]["im-authorization"] == token
    assert seen["headers"]["im-client-id"] == "in-query"


@pytest.mark.parametrize(
    ("query", "fields", "status"),
    [
        (f"{QUERY}&token=bad", (), 401),
        (f"{QUERY}&%74oken=bad", (), 401),
        (f"{QUERY}&IM-Authorization=bad", (), 401),
        (QUERY, ("IM-Authorization: bad",), 401),
        (f"{QUERY}&token=a&token=b", (), 400),
        (f"{QUERY}&clientKey=bad", (), 403),
        (QUERY, ("IM-Client-Key: bad",), 403),
        (QUERY, ("CLIENT_KEY: bad",), 403),
        (f"{QUERY}&a=%zz", (), 400),
        (QUERY, ("Origin: https://evil.example",), 403),
        (QUERY, ("Sec-WebSocket-Version: 12",), 400),
    ],
)
def test_a_bad_request_for_a_socket_never_reaches_the_server(
    site: Site, socketio: SocketServer, query: str, fields: tuple[str, ...], status: int
) -> None:
    before = len(socketio.seen()["handshakes"])

    assert refused_with(handshake(site, query, *fields))[0] == status
    assert len(socketio.seen()["handshakes"]) == before


@pytest.mark.parametrize(
    ("fault", "status"),
    [("never", 504), ("redirect", 302), ("refused", 403), ("other", 502), ("gone", 502)]
    + [("compressed", 502)],
)
def test_a_server_that_opens_no_socket_is_said_to(site: Site, fault: str, status: int) -> None:
    reply = handshake(site, f"{QUERY}&fault={fault}")

    assert reply.status == status
    line = site.sidecar.wait_for_line(path="/imkit/socket.io/", status=status)
    assert IMKIT_CLIENT_KEY not in json.dumps(line)

    if status >= 500:
        assert reply.json["RC"] == status


def test_what_is_no_frame_ends_the_socket(site: Site) -> None:
    with opened(site, f"{QUERY}&fault=garbage") as socket:
        assert socket.closed_with() == 1002


def test_a_revoked_token_ends_its_sockets_in_every_worker(
    site: Site, socketio: SocketServer
) -> None:
    token, other = site.token("revoked"), site.token("stays")
    before = scrape(site.sidecar.port).value("chatproxy_sockets_ended_total", by="token")

    with contextlib.ExitStack() as all_of_them:
        made = [all_of_them.enter_context(opened(site)).enter() for _ in range(12)]
        stays = all_of_them.enter_context(opened(site)).enter()
        assert all(one.ask("auth", token)["RC"] == 0 for one in made)
        assert stays.ask("auth", other)["RC"] == 0
        opened_there, codes = socketio.seen()["open"], socketio.seen()["codes"].count(1001)
        assert scrape(site.sidecar.port).value("chatproxy_sockets") >= 13

        started = time.monotonic()
        assert site.unbind("revoked").status == 200
        assert {one.closed_with() for one in made} == {1008}
        assert time.monotonic() - started < WITHIN
        assert {one.last for one in made} == {"41"}

        socketio.wait_until(lambda seen: seen["open"] == opened_there - 12)
        socketio.wait_until(lambda seen: seen["codes"].count(1001) == codes + 12)
        assert stays.ask("echo", 1) == 1

    line = site.sidecar.wait_for_line(path="/imkit/socket.io/", status=101)
    assert line["socket"]["endedBy"] in ("token", "caller")
    after = scrape(site.sidecar.port).value("chatproxy_sockets_ended_total", by="token")
    assert after - before == 12


def test_a_caller_who_leaves_is_gone_at_the_server_too(site: Site, socketio: SocketServer) -> None:
    before = socketio.seen()["open"]

    with opened(site) as socket:
        socket.enter()
        assert socketio.seen()["open"] == before + 1

    socketio.wait_until(lambda seen: seen["open"] == before)


@pytest.mark.parametrize(("event", "code"), [("leave", None), ("break", 1011)])
def test_a_server_that_leaves_is_gone_for_the_caller_too(
    site: Site, event: str, code: int | None
) -> None:
    with opened(site, header=[f"X-Request-Id: {event}"]) as socket:
        socket.enter().say(f'42["{event}"]')

        assert socket.closed_with() == code

    line = site.sidecar.wait_for_line(req_id=event)
    assert line["socket"]["endedBy"] == "server"


def test_a_message_too_long_ends_the_socket(site: Site) -> None:
    with opened(site) as socket:
        socket.enter()

        with contextlib.suppress(OSError):
            socket.say('42["chat message","' + "x" * 5_000_000 + '"]')

        assert socket.closed_with() == 1009


def test_what_comes_before_the_answer_is_none(site: Site) -> None:
    with opened(site, f"{QUERY}&fault=early") as socket:
        assert socket.enter().ask("echo", 1) == 1
