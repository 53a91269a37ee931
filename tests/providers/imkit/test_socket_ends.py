"""What ends a socket, how soon, and what the log says of it."""

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import websocket

from chatproxy.identity.directory import Directory
from tests.calls import call
from tests.canaries import KEY_SIGNING_SECRET
from tests.databases import KINDS
from tests.providers.imkit.conftest import Site, moment
from tests.providers.imkit.rawsocket import RawSocket, entered
from tests.wire import get

REFUSED, LEAVING = 1008, 1001
DISCONNECT = "41"

Authenticated = Callable[[Site, str], RawSocket]


#: Seconds in which a socket must have ended. One is promised, and half of it is the rule; the
#: machine that tests may have other things to do.
WITHIN = 2.0


@pytest.fixture
def authenticated() -> Iterator[Authenticated]:
    """Make sockets whose clients are in; the test's end closes them."""
    with contextlib.ExitStack() as made:

        def make(site: Site, token: str) -> RawSocket:
            inside = made.enter_context(entered(site.sidecar.port))
            assert inside.ask("auth", token)["RC"] == 0
            return inside

        yield make


def ends(sockets: list[RawSocket]) -> tuple[set[int | None], float]:
    """Wait for the end of all; return their codes, and after how many seconds the last came."""
    started = time.monotonic()

    with ThreadPoolExecutor(len(sockets)) as waiting:
        codes = set(waiting.map(RawSocket.closed_with, sockets))

    return codes, time.monotonic() - started


@pytest.fixture(params=KINDS)
def cluster(request: pytest.FixtureRequest, imkit_before: Callable[..., Any]) -> Any:
    """A site with three workers, and a directory beside them: the one that revokes."""
    with imkit_before(request.param, WORKERS="3", WORKER_CONNECTIONS="60") as site:
        url = site.sidecar.environ["DATABASE_URL"]
        beside = Directory(url, [KEY_SIGNING_SECRET], now=time.time, monotonic=time.monotonic)

        with contextlib.closing(beside):
            yield site, beside


def in_every_worker(site: Site, token: str, authenticated: Authenticated) -> list[RawSocket]:
    """Sockets of one client, some in each worker."""
    sockets: list[RawSocket] = []
    workers = set(site.sidecar.workers())

    while len(sockets) < 12 or _busy(site) != workers:
        assert len(sockets) < 150
        sockets.append(authenticated(site, token))

        if len(sockets) > 12:
            time.sleep(0.05)  # the last worker may just be starting

    return sockets


def _busy(site: Site) -> set[int]:
    came = [line for line in site.sidecar.lines() if line["msg"] == "incoming request"]
    return {line["pid"] for line in came if line["url"]["path"] == "/imkit/socket.io/"}


def test_a_revoked_client_is_cut_off_in_every_worker(
    cluster: tuple[Site, Directory], authenticated: Authenticated
) -> None:
    """The clock starts when the revocation is in the directory, whoever put it there.

    A packet says that it is meant: else Socket.IO's clients come again by themselves.
    """
    site, beside = cluster
    staying = authenticated(site, site.token("stays"))
    sockets = in_every_worker(site, site.token("revoked"), authenticated)
    assert beside.tokens.revoke_user("default", "revoked")
    codes, took = ends(sockets)

    assert codes == {REFUSED}
    assert {one.last for one in sockets} == {DISCONNECT}
    assert took < WITHIN
    assert staying.ask("conf")["RC"] == 0

    assert beside.tokens.revoke_app("default")
    codes, took = ends([staying])

    assert codes == {REFUSED}
    assert took < WITHIN


def test_the_command_that_revokes_cuts_off_too(
    imkit_before: Callable[..., Any], authenticated: Authenticated
) -> None:
    with imkit_before() as site:
        inside = authenticated(site, site.token("by-command"))
        site.run("tokens", "revoke", "--user", "by-command")
        codes, took = ends([inside])

    assert codes == {REFUSED}
    assert took < WITHIN


def test_a_token_that_is_ended_cuts_off_its_own_sockets_only(
    site: Site, authenticated: Authenticated
) -> None:
    site.put("two")
    site.bind("two", "first-of-two")
    site.bind("two", "second-of-two")
    first, second = (authenticated(site, f"{one}-of-two") for one in ("first", "second"))
    site.unbind("two", {"token": "first-of-two"})

    assert ends([first])[0] == {REFUSED}
    time.sleep(0.8)
    assert second.ask("conf")["RC"] == 0


def test_a_token_made_here_ends_the_sockets_of_the_one_before(
    site: Site, authenticated: Authenticated
) -> None:
    before = authenticated(site, site.token("renews"))
    after = authenticated(site, site.token("renews"))

    assert ends([before])[0] == {REFUSED}
    assert after.ask("conf")["RC"] == 0


def test_the_end_of_its_token_is_the_end_of_a_socket(
    site: Site, authenticated: Authenticated
) -> None:
    site.put("passes")
    site.bind("passes", "passes-away", moment(seconds=1.5))
    inside = authenticated(site, "passes-away")
    time.sleep(0.5)
    assert inside.ask("conf")["RC"] == 0
    codes, took = ends([inside])

    assert codes == {REFUSED}
    assert took < 10


def test_a_token_whose_end_is_put_off_keeps_its_sockets(
    site: Site, authenticated: Authenticated
) -> None:
    site.put("longer")
    site.bind("longer", "lives-longer", moment(seconds=1))
    inside = authenticated(site, "lives-longer")
    site.bind("longer", "lives-longer", moment(hours=1))
    time.sleep(1.6)

    assert inside.ask("conf")["RC"] == 0


def test_who_does_not_authenticate_is_cut_off_whatever_they_say(
    imkit_before: Callable[..., Any], authenticated: Authenticated
) -> None:
    with imkit_before() as site, entered(site.sidecar.port) as silent:
        started = time.monotonic()
        inside = authenticated(site, site.token("stays-on"))

        with entered(site.sidecar.port) as talking:
            while time.monotonic() - started < 9:
                assert talking.ask("auth", "nobody-has-this")["RC"] == 401
                time.sleep(0.2)

            codes, _ = ends([silent, talking])

        assert codes == {REFUSED}
        assert 9.5 < time.monotonic() - started < 14
        assert inside.ask("conf")["RC"] == 0


def test_a_revoked_client_that_reads_nothing_is_cut_off_as_soon(
    imkit_before: Callable[..., Any], authenticated: Authenticated
) -> None:
    """It has the worker wait in a write, which no client may hold up for longer."""
    with imkit_before(WORKER_CONNECTIONS="60") as site:
        inside = authenticated(site, site.token("deaf"))
        frame = websocket.ABNF(1, 0, 0, 0, 1, 1, f"40/{'x' * 60_000}").format()
        inside.frames.settimeout(1)

        with contextlib.suppress(TimeoutError):
            while True:  # until nobody takes it: each is answered with as much
                inside.frames.sock.sendall(frame)

        site.unbind("deaf")
        line = site.sidecar.wait_for_line(within=WITHIN, status=101)

    assert line["socket"] == {"endedBy": "token"}


def test_open_sockets_do_not_hold_the_shutdown_up(
    imkit_before: Callable[..., Any], authenticated: Authenticated
) -> None:
    """They are told to come again, which Socket.IO's clients do by themselves."""
    with imkit_before(WORKER_CONNECTIONS="120") as site:
        token = site.token("stops")
        sockets = [authenticated(site, token) for _ in range(50)]
        started = time.monotonic()
        site.sidecar.process.send_signal(signal.SIGTERM)
        codes, told = ends(sockets)

        assert site.sidecar.process.wait(20) == 0
        took = time.monotonic() - started

    assert codes == {LEAVING}
    assert DISCONNECT not in {one.last for one in sockets}
    assert told < WITHIN
    assert took < 12  # and not the graceful timeout
    lines = site.sidecar.completed(status=101)
    assert [line["socket"]["endedBy"] for line in lines] == ["stop"] * 50


def test_a_worker_that_is_replaced_ends_its_sockets_and_the_next_one_takes_them(
    imkit_before: Callable[..., Any], authenticated: Authenticated
) -> None:
    with imkit_before(MAX_REQUESTS="30") as site:
        token = site.token("comes-again")
        inside = authenticated(site, token)

        for _ in range(40):
            call(site.sidecar.port, "GET", "/-/healthz")

        assert inside.closed_with() == LEAVING
        assert inside.last != DISCONNECT
        authenticated(site, token)


def test_a_socket_has_one_line_at_its_end(
    imkit_before: Callable[..., Any], authenticated: Authenticated
) -> None:
    with imkit_before() as site:
        inside = authenticated(site, site.token("logged"))
        time.sleep(0.4)
        assert site.sidecar.completed(path="/imkit/socket.io/") == []
        inside.say("41")
        assert inside.closed_with() == 1000
        site.sidecar.wait_for_line(status=101)

    (line,) = site.sidecar.completed(path="/imkit/socket.io/")
    assert line["level"] == 30
    assert line["http"]["response"]["statusCode"] == 101
    assert line["responseTime"] > 400
    assert line["socket"] == {"endedBy": "caller"}
    assert "error" not in line
    assert "brokenBy" not in line


def test_no_request_is_served_behind_a_socket(site: Site, authenticated: Authenticated) -> None:
    inside = authenticated(site, site.token("behind"))
    inside.say("41")
    assert inside.closed_with() == 1000
    time.sleep(1.2)

    with contextlib.suppress(OSError):
        inside.frames.sock.sendall(get("/imkit/socket.io/behind"))

    time.sleep(0.5)
    assert site.sidecar.completed(path="/imkit/socket.io/behind") == []


def test_nothing_that_is_said_is_in_the_log(imkit_before: Callable[..., Any]) -> None:
    said = [f"said-by-a-client-{number}" for number in range(9)]

    with imkit_before(LOG_LEVEL="trace", AUTH_FAILURE_LIMIT="1 per hour") as site:
        port, token = site.sidecar.port, site.token("quiet")
        site.bind("quiet", said[0])

        with entered(port) as inside:
            for arguments in ([token], [said[0]], [said[1]], [said[1]], [{"token": said[2]}]):
                inside.ask("auth", *arguments)

            inside.ask("auth2", token, {"deviceId": said[3]})
            inside.ask("conf", {"encoding": said[4]})
            inside.ask(said[5], said[6])
            inside.say(f"40/{said[7]},{{}}")
            inside.hear()
            inside.say(f'42["{said[8]}')
            assert inside.closed_with() == 1002

        call(port, "GET", f"/imkit/socket.io/?EIO=4&transport={said[0]}")
        site.sidecar.wait_for_line(status=400)

    output = site.sidecar.output.read_text()
    assert json.loads(output.splitlines()[0])["level"] <= 20
    assert [text for text in (token, *said) if text in output] == []


def test_a_socket_that_is_cut_has_its_line_too(
    imkit_before: Callable[..., Any], authenticated: Authenticated
) -> None:
    with imkit_before(GRACEFUL_TIMEOUT="0") as site:
        inside = authenticated(site, site.token("cut"))
        site.sidecar.process.send_signal(signal.SIGTERM)
        inside.closed_with()
        assert site.sidecar.process.wait(20) == 0

    (line,) = site.sidecar.completed(status=101)
    assert line.get("brokenBy") == "sidecar" or line["socket"] == {"endedBy": "stop"}
