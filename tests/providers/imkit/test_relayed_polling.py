"""A client that polls through the client door, request by request."""

import contextlib
import json
import socket as sockets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import websocket

from chatproxy.providers.imkit.relaying.sightings import Sightings
from chatproxy.providers.imkit.relaying.tunnel import Times
from chatproxy.providers.imkit.relaying.waiting import SessionOver, Waiting
from chatproxy.providers.imkit.sockets.frames import SocketClosed
from tests.calls import Reply, call
from tests.canaries import IMKIT_CLIENT_KEY, IMKIT_KEY
from tests.providers.imkit.conftest import Site
from tests.providers.imkit.rawsocket import raw_socket
from tests.providers.imkit.refusals import refused_with
from tests.providers.imkit.relayed import SocketServer, door_of, relaying, socket_server
from tests.scraping import scrape
from tests.stopwatch import Stopwatch
from tests.test_sdks import needs_node_sdks

pytestmark = [needs_node_sdks, pytest.mark.node]

ORIGIN = "https://app.example"
TEXT = "Content-Type: text/plain;charset=UTF-8"

#: Sockets that each worker holds.
MOST = 12

#: Seconds in which a session must have ended; see `test_socket_ends`.
WITHIN = 2.0


class Session:
    """A session of a client that polls, by Engine.IO 4."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.query = "EIO=4&transport=polling"
        opened = json.loads(self.poll().raw.body[1:])
        self.id = opened["sid"]
        self.query += f"&sid={self.id}"
        assert self.say("40").raw.body == b"ok"
        assert self.poll().raw.body.startswith(b'40{"sid":')

    def poll(self, *fields: str) -> Reply:
        return call(door_of(self.site), "GET", f"/socket.io/?{self.query}", *fields)

    def say(self, body: str, *fields: str) -> Reply:
        path = f"/socket.io/?{self.query}"
        return call(door_of(self.site), "POST", path, TEXT, *fields, body=body.encode())

    def ask(self, *event: Any) -> Any:
        """Emit an event; return what it is acknowledged with."""
        assert self.say(f"427{json.dumps(event, ensure_ascii=False)}").raw.body == b"ok"
        answer = self.poll().raw.body.decode()
        assert answer.startswith("437["), answer
        return json.loads(answer[3:])[0]


@pytest.fixture(scope="module")
def socketio() -> Iterator[SocketServer]:
    with socket_server() as made:
        yield made


@pytest.fixture(scope="module")
def site(socketio: SocketServer, imkit_before: Callable[..., Any]) -> Iterator[Site]:
    few = {"WORKERS": "2", "IMKIT_ALLOWED_ORIGINS": ORIGIN, "MAX_BODY_BYTES": "3000000"}
    few["IMKIT_MAX_SOCKETS"] = str(MOST)
    keys = {"IMKIT_API_KEY": IMKIT_KEY, "IMKIT_CLIENT_KEY": IMKIT_CLIENT_KEY}

    with imkit_before(**relaying(socketio.url), **keys, **few) as made:
        yield made


@pytest.fixture
def waiting() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def test_a_client_signs_in_and_talks(site: Site, socketio: SocketServer) -> None:
    token = site.token("polls")
    session = Session(site)

    assert session.ask("auth2", token, {"CLIENT_KEY": site.client_key})["RC"] == 0
    assert session.ask("echo", "é🙂") == "é🙂"
    assert ["auth2", token, {"CLIENT_KEY": IMKIT_CLIENT_KEY}] in socketio.seen()["signIns"]
    seen = socketio.seen()["handshakes"][-1]
    assert seen["headers"]["im-client-key"] == IMKIT_CLIENT_KEY
    session.say("1")
    assert session.poll().status == 400


def test_a_bad_token_is_refused_by_the_server_which_never_sees_it(
    site: Site, socketio: SocketServer
) -> None:
    session = Session(site)

    assert session.ask("auth", "a-bad-token")["RC"] == 401
    assert session.ask("auth2", site.token("right"), {"CLIENT_KEY": "bad"})["RC"] == 401
    assert "a-bad-token" not in json.dumps(socketio.seen())


def wait_for_all(polls: list[Future[Reply]], within: float) -> list[bytes]:
    until = time.monotonic() + within
    return [one.result(max(0.01, until - time.monotonic())).raw.body for one in polls]


@pytest.mark.parametrize(
    ("began", "later", "body"),
    [
        ("3", "4", '{length}:42["auth","{token}"]'),
        ("3", "9", '42["auth","{token}"]'),
        ("9", "4", '{length}:42["auth","{token}"]'),
        ("4", "3", '{longer}:42["a","\x1e42["auth","{token}"]'),
        ("4", "9", '{longer}:42["a","\x1e42["auth","{token}"]'),
    ],
)
def test_no_sign_in_is_hidden_by_naming_another_revision(
    site: Site, socketio: SocketServer, began: str, later: str, body: str
) -> None:
    token = f"nobodys-{began}-{later}"
    door, query = door_of(site), "transport=polling"
    opened = call(door, "GET", f"/socket.io/?EIO={began}&{query}").raw.body.decode()
    query += f"&sid={json.loads(opened[opened.index('{') :])['sid']}"

    if began == "4":
        call(door, "POST", f"/socket.io/?EIO=4&{query}", TEXT, body=b"40")

    call(door, "GET", f"/socket.io/?EIO={began}&{query}")

    length = len(f'42["auth","{token}"]')
    said = body.format(token=token, length=length, longer=length + len('42["a","\x1e'))
    reply = call(door, "POST", f"/socket.io/?EIO={later}&{query}", TEXT, body=said.encode())

    assert refused_with(reply) == (400, "INVALID_BODY")
    assert not any(token in one for one in socketio.seen()["signIns"])


def test_a_revision_that_nobody_knows_is_the_third(site: Site, socketio: SocketServer) -> None:
    """So a server takes it, and what it would read as a sign-in is one here."""
    door, query = door_of(site), "EIO=9&transport=polling"
    opened = call(door, "GET", f"/socket.io/?{query}").raw.body.decode()
    query += f"&sid={json.loads(opened[opened.index('{') :])['sid']}"
    path, said = f"/socket.io/?{query}", '427["auth","of-nobody"]'
    assert call(door, "GET", path).raw.body.startswith(b"2:40")
    assert call(door, "POST", path, TEXT, body=f"{len(said)}:{said}".encode()).raw.body == b"ok"

    assert b'437[{"RC":401' in call(door, "GET", path).raw.body
    assert not any("of-nobody" in one for one in socketio.seen()["signIns"])


def test_a_revoked_token_ends_its_sessions_in_every_worker(
    site: Site, socketio: SocketServer, waiting: ThreadPoolExecutor
) -> None:
    token, other = site.token("gone"), site.token("stays")
    sessions = [Session(site) for _ in range(8)]
    stays = Session(site)
    assert all(one.ask("auth", token)["RC"] == 0 for one in sessions)
    assert stays.ask("auth", other)["RC"] == 0
    before = socketio.seen()["open"]
    counted = scrape(site.sidecar.port).value("chatproxy_sockets_ended_total", by="token")

    polls = [waiting.submit(one.poll) for one in sessions[:6]]
    kept = waiting.submit(stays.poll)
    time.sleep(0.5)
    site.unbind("gone")
    assert wait_for_all(polls, WITHIN) == [b"41\x1e1"] * 6

    # Those who were not waiting learn of it when they come again.
    assert sessions[6].poll().raw.body == b"41\x1e1"
    assert refused_with(sessions[7].say('42["chat message",1]')) == (400, "INVALID_REQUEST")
    assert sessions[7].poll().raw.body == b"41\x1e1"

    socketio.wait_until(lambda seen: seen["open"] == before - 8)
    after = scrape(site.sidecar.port).value("chatproxy_sockets_ended_total", by="token")
    assert after - counted >= 8
    assert not kept.done()
    socketio.say("bye")
    assert kept.result(5).raw.body == b'42["bye"]'


@pytest.mark.parametrize("again", [False, True], ids=["close", "another token"])
def test_what_the_server_refuses_hides_no_session(site: Site, *, again: bool) -> None:
    token, other = site.token("hides"), site.token("hides-no-more")
    session = Session(site)
    assert session.ask("auth", token)["RC"] == 0

    # A server takes no polling request that names another transport.
    path = f"/socket.io/?{session.query.replace('polling', 'websocket')}"
    said = f'42["auth","{other}"]' if again else "1"
    assert call(door_of(site), "POST", path, TEXT, body=said.encode()).status == 400
    assert again or session.ask("echo", 1) == 1
    site.unbind("hides")
    started = time.monotonic()

    assert session.poll().raw.body == b"41\x1e1"
    assert time.monotonic() - started < WITHIN
    site.unbind("hides-no-more")


def test_a_poll_that_began_before_the_sign_in_ends_with_its_token(
    site: Site, waiting: ThreadPoolExecutor
) -> None:
    token = site.token("later")
    session = Session(site)
    poll = waiting.submit(session.poll)
    time.sleep(0.3)
    # Not acknowledged: the poll goes on.
    session.say(f'42["auth",{json.dumps(token)}]')
    time.sleep(0.8)
    assert not poll.done()
    site.unbind("later")

    assert wait_for_all([poll], WITHIN) == [b"41\x1e1"]


def test_a_websocket_that_takes_over_knows_who_signed_in(site: Site) -> None:
    token = site.token("upgrades")
    session = Session(site)
    assert session.ask("auth", token)["RC"] == 0
    query = f"EIO=4&transport=websocket&sid={session.id}"

    with raw_socket(door_of(site), query) as socket:
        socket.say("2probe")
        assert socket.hear() == "3probe"
        socket.say("5")
        assert socket.ask("echo", 1) == 1
        time.sleep(0.5)
        site.unbind("upgrades")
        started = time.monotonic()
        assert socket.closed_with() == 1008

    assert time.monotonic() - started < WITHIN


def test_a_token_in_each_request_counts_as_well(site: Site, waiting: ThreadPoolExecutor) -> None:
    token = site.token("in-headers")
    session = Session(site)
    poll = waiting.submit(session.poll, f"IM-Authorization: {token}")
    time.sleep(0.3)
    site.unbind("in-headers")

    assert wait_for_all([poll], WITHIN) == [b"41\x1e1"]
    assert refused_with(session.poll(f"IM-Authorization: {token}"))[0] == 401


def test_who_leaves_is_gone_at_the_server_too(site: Site, socketio: SocketServer) -> None:
    session = Session(site)
    before = socketio.seen()["open"]

    with contextlib.suppress(OSError), contextlib.closing(_asking(session)):
        time.sleep(0.5)

    socketio.wait_until(lambda seen: seen["open"] == before - 1)


def _asking(session: Session) -> Any:
    sock = sockets.create_connection(("127.0.0.1", door_of(session.site)))
    sock.sendall(f"GET /socket.io/?{session.query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return sock


@pytest.mark.parametrize(
    "body", ["4", "42", '42{"a":1}', "40[]", "\x1e4x", '42["auth"', "42[" + "[" * 99]
)
def test_what_no_client_sends_is_refused(site: Site, body: str) -> None:
    session = Session(site)

    assert refused_with(session.say(body)) == (400, "INVALID_BODY")
    assert session.ask("echo", 1) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("EIO=4&transport=polling&j=0", 400),
        ("EIO=4&transport=polling&sid=a&sid=b", 400),
        ("EIO=4&transport=polling&sid=nobodys", 400),
        ("EIO=4&transport=polling&token=bad", 401),
        ("EIO=4&transport=carrier-pigeon", 400),
        ("EIO=4&transport=websocket", 400),
        ("", 400),
    ],
)
def test_a_bad_request_is_refused(site: Site, query: str, status: int) -> None:
    assert call(door_of(site), "GET", f"/socket.io/?{query}").status == status


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_other_method_carries_packets(site: Site, method: str) -> None:
    session = Session(site)
    path, said = f"/socket.io/?{session.query}", b'42["auth","bad"]'
    reply = call(door_of(site), method, path, TEXT, body=said)

    assert refused_with(reply) == (405, "METHOD_NOT_ALLOWED")
    assert session.ask("echo", 1) == 1


def test_a_megabyte_passes_and_more_is_413(site: Site) -> None:
    session, text = Session(site), "ü" * 500_000

    assert session.ask("echo", text) == text
    assert session.say(f'42["echo","{"x" * 3_000_000}"]').status == 413


def test_pages_of_allowed_origins_may_poll(site: Site) -> None:
    path, page = "/socket.io/?EIO=4&transport=polling", f"Origin: {ORIGIN}"
    asked = call(door_of(site), "OPTIONS", path, page, "Access-Control-Request-Method: POST")
    allowed = call(door_of(site), "GET", path, page)
    other = call(door_of(site), "GET", path, "Origin: https://evil.example")

    assert asked.status == 204
    assert [one.header("Access-Control-Allow-Origin") for one in (asked, allowed)] == [ORIGIN] * 2
    assert other.status == 403
    assert other.header("Access-Control-Allow-Origin") is None


def test_no_worker_has_to_know_a_session(site: Site) -> None:
    """What one worker has seen is there when it is dead."""
    token = site.token("survives")
    session = Session(site)
    assert session.ask("auth", token)["RC"] == 0
    site.unbind("survives")

    assert {session.poll().raw.body for _ in range(6)} == {b"41\x1e1"}


class Nobody:
    """A caller who stays."""

    asked = 0

    def has_left(self) -> bool:
        self.asked += 1
        return False


def test_who_does_not_sign_in_is_not_waited_for() -> None:
    moments = iter([6.0, 11.0, 12.0])
    made = Waiting("session", None, Nobody(), lambda: next(moments), Times(), 2.0)

    assert not made.has_left()

    with pytest.raises(SessionOver) as raised:
        made.has_left()

    assert raised.value.ended_by == "nobody authenticated"


def test_the_time_to_sign_in_is_that_of_all_requests_together(clock: Stopwatch) -> None:
    seen = Sightings(lambda: clock.now, most=3)
    first = clock.now
    assert seen.since("talks") == first

    for number in range(9):
        clock.now += 1
        seen.since(f"made up {number}")
        assert seen.since("talks") == first

    assert seen.since("made up 0") == clock.now


def test_who_talks_without_signing_in_is_ended_as_well(site: Site) -> None:
    """A client of Socket.IO 2 is answered whenever it likes, so that none of its requests waits."""
    door, path = door_of(site), "/socket.io/?EIO=3&transport=polling"
    opened = call(door, "GET", path).raw.body.decode()
    path += f"&sid={json.loads(opened[opened.index('{') :])['sid']}"
    until = time.monotonic() + Times().authenticate + 10

    while (heard := call(door, "GET", path).raw.body) != b"2:411:1":
        assert time.monotonic() < until, heard
        call(door, "POST", path, TEXT, body=b"1:2")
        time.sleep(0.2)


def test_a_request_is_ended_for_everything_but_a_stop() -> None:
    caller = Nobody()
    made = Waiting("session", ("app", "digest"), caller, iter(range(99)).__next__, Times(), 0)
    made.end(SocketClosed("stop", 1001))
    assert not made.has_left()
    assert caller.asked == 1
    made.end(SocketClosed("token", 1008))

    with pytest.raises(SessionOver) as raised:
        made.has_left()

    assert raised.value.ended_by == "token"


def test_a_worker_holds_so_many_and_no_more(site: Site) -> None:
    token, polls = site.token("full"), Session(site)

    assert polls.ask("auth", token)["RC"] == 0
    statuses = []

    with contextlib.ExitStack() as sockets:
        while statuses.count(101) < 2 * MOST:
            assert len(statuses) < 300, statuses

            try:
                one = sockets.enter_context(raw_socket(door_of(site))).enter()
                assert one.ask("auth", token)["RC"] == 0
                statuses.append(101)
            except websocket.WebSocketBadStatusException as refused:
                statuses.append(refused.status_code)

        with pytest.raises(websocket.WebSocketBadStatusException):
            sockets.enter_context(raw_socket(door_of(site)))

        assert {polls.poll().status for _ in range(4)} == {503}
        assert set(statuses) <= {101, 503}

    assert polls.say('427["echo",1]').raw.body == b"ok"
    until = time.monotonic() + 10

    while (answer := polls.poll()).status == 503:  # the sockets are being closed
        assert time.monotonic() < until

    assert answer.raw.body == b"437[1]"
