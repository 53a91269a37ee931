"""Many relayed sockets at once, a rolling restart, and a server that is there no more."""

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.canaries import IMKIT_CLIENT_KEY, IMKIT_KEY
from tests.providers.imkit.conftest import Site
from tests.providers.imkit.rawsocket import RawSocket, raw_socket
from tests.providers.imkit.relayed import SocketServer, door_of, relaying, socket_server
from tests.providers.imkit.test_relayed_polling import Session
from tests.scraping import scrape
from tests.test_sdks import needs_node_sdks

pytestmark = [needs_node_sdks, pytest.mark.node]

SOCKETS = 500


@pytest.fixture(scope="module")
def socketio() -> Iterator[SocketServer]:
    # These clients answer no ping while they wait for one another.
    with socket_server(PING_MS="110000") as made:
        yield made


@pytest.fixture(scope="module")
def site(socketio: SocketServer, imkit_before: Callable[..., Any]) -> Iterator[Site]:
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    keys = {"IMKIT_API_KEY": IMKIT_KEY, "IMKIT_CLIENT_KEY": IMKIT_CLIENT_KEY}

    with imkit_before(WORKERS="2", **relaying(socketio.url), **keys) as made:
        yield made

    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


@contextlib.contextmanager
def many(site: Site, token: str, number: int = SOCKETS) -> Iterator[list[RawSocket]]:
    """So many sockets, each signed in."""
    with contextlib.ExitStack() as all_of_them:

        def signed_in(_: int) -> RawSocket:
            # At once: who does not sign in is not waited for.
            one = all_of_them.enter_context(raw_socket(door_of(site))).enter()
            assert one.ask("auth", token)["RC"] == 0
            one.frames.settimeout(60)  # a new worker comes before the old one goes
            return one

        with ThreadPoolExecutor(16) as opening:
            made = list(opening.map(signed_in, range(number)))

        yield made


def ends(sockets: list[RawSocket]) -> tuple[set[int | None], float]:
    """Wait for the end of all; return their codes, and after how many seconds the last came."""
    started = time.monotonic()

    with ThreadPoolExecutor(len(sockets)) as waiting:
        codes = set(waiting.map(RawSocket.closed_with, sockets))

    return codes, time.monotonic() - started


def test_five_hundred_talk_and_end_with_their_token(site: Site, socketio: SocketServer) -> None:
    token = site.token("many")

    with many(site, token) as sockets:
        assert scrape(site.sidecar.port).value("chatproxy_sockets") == SOCKETS
        assert [one.ask("echo", place) for place, one in enumerate(sockets)] == list(range(SOCKETS))
        site.unbind("many")
        codes, seconds = ends(sockets)

    assert codes == {1008}
    assert seconds < 15
    socketio.wait_until(lambda seen: seen["open"] == 0)
    assert scrape(site.sidecar.port).value("chatproxy_sockets") == 0


def test_a_rolling_restart_sends_them_away_and_they_come_again(
    site: Site, socketio: SocketServer
) -> None:
    token, workers = site.token("rolls"), set(site.sidecar.workers())

    with many(site, token) as sockets:
        polls = Session(site)
        assert polls.ask("auth", token)["RC"] == 0
        site.sidecar.process.send_signal(signal.SIGHUP)
        codes, _ = ends(sockets)
        assert codes == {1001}

    # A session that polls belongs to no worker.
    assert polls.ask("echo", 1) == 1

    with many(site, token, 20):
        until = time.monotonic() + 30

        while workers & set(site.sidecar.workers()):
            assert time.monotonic() < until
            time.sleep(0.1)

    site.unbind("rolls")
    assert polls.poll().raw.body == b"41\x1e1"
    socketio.wait_until(lambda seen: seen["open"] == 0)


def serving(site: Site) -> float:
    """How many workers take requests."""
    with contextlib.suppress(OSError):
        return scrape(site.sidecar.port).value("chatproxy_workers")

    return 0


def test_a_killed_worker_takes_only_its_own_sockets(site: Site, socketio: SocketServer) -> None:
    token = site.token("killed")
    polls = Session(site)
    assert polls.ask("auth", token)["RC"] == 0

    for _ in range(2):
        victim, *_ = site.sidecar.workers()
        os.kill(victim, signal.SIGKILL)
        until = time.monotonic() + 60

        while victim in site.sidecar.workers() or serving(site) < 2:
            assert time.monotonic() < until
            time.sleep(0.1)

    assert polls.ask("echo", 1) == 1
    site.unbind("killed")
    assert polls.poll().raw.body == b"41\x1e1"
    socketio.wait_until(lambda seen: seen["open"] == 0)
