"""Workers are replaced, by `MAX_REQUESTS` or by a reload, and no caller notices."""

import contextlib
import dataclasses
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import RawAnswer, answer_on, ask, connected, get

#: Seconds that a worker needs to start in these tests, and within which nobody may have to wait:
#: far above what a busy machine costs, and far below the start.
START = 4
NO_WAIT = 3

SLOW_START = f"""
import importlib.abc, sys, time

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "chatproxy.app":
            time.sleep({START})

sys.meta_path.insert(0, Slow())
"""


@dataclasses.dataclass
class Callers:
    """Clients that ask all the time, each in a thread: on kept connections, and on fresh ones."""

    port: int
    answered: int = 0
    last: int = 0
    longest: float = 0.0
    failures: list[str] = dataclasses.field(default_factory=list)
    _ended: threading.Event = dataclasses.field(default_factory=threading.Event)
    _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def asking(self) -> Iterator["Callers"]:
        kinds = [self._keep, self._keep, self._keep_slowly, self._come_anew]
        threads = [threading.Thread(target=kind) for kind in kinds]

        with connected(self.port) as idle:
            idle.sendall(get("/-/healthz"))
            answer_on(idle)

            for thread in threads:
                thread.start()

            try:
                yield self
            finally:
                self._ended.set()

                for thread in threads:
                    thread.join()

    def _come_anew(self) -> None:
        while not self._ended.wait(0.02):
            with self._timed(), connected(self.port, timeout=60) as sock:
                self._ask_on(sock)

    def _keep_slowly(self) -> None:
        self._keep("/proxy/_sandbox/drip?pieces=3&seconds=0.3")

    def _keep(self, path: str = "/proxy/app") -> None:
        while not self._ended.is_set():
            with contextlib.suppress(OSError), connected(self.port, timeout=60) as sock:
                while not self._ended.wait(0.01):
                    # Closed between two answers: a client library connects anew, as this does.
                    if select.select([sock], [], [], 0)[0]:
                        break

                    with self._timed():
                        last = self._ask_on(sock, path)

                    if last:
                        break

    def _ask_on(self, sock: socket.socket, path: str = "/proxy/app") -> bool:
        sock.sendall(get(path))
        answer = answer_on(sock)
        assert (answer.status, answer.complete) == (200, True)
        last = answer.header("Connection") == "close"

        with self._lock:
            self.answered += 1
            self.last += last

        return last

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.monotonic()

        try:
            yield
        except (OSError, AssertionError) as error:
            with self._lock:
                self.failures.append(repr(error))
        finally:
            with self._lock:
                self.longest = max(self.longest, time.monotonic() - started)


@pytest.fixture
def starting_slowly(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], tmp_path: Path
) -> Callable[..., Sidecar]:
    (tmp_path / "sitecustomize.py").write_text(SLOW_START)

    def make(**settings: str) -> Sidecar:
        return sidecar_before(upstream.url, PYTHONPATH=str(tmp_path), **settings)

    return make


def wait_for(state: Callable[[], Any], within: float = 60) -> None:
    until = time.monotonic() + within

    while not state():
        assert time.monotonic() < until, "this never came about"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "settings",
    [
        {"MAX_REQUESTS": "50"},
        {"GUNICORN_CMD_ARGS": "--max-requests 50", "WORKERS": "2"},
    ],
    ids=["one worker", "two workers, by gunicorn's own setting"],
)
def test_a_worker_that_answered_enough_is_replaced_and_nobody_notices(
    starting_slowly: Callable[..., Sidecar], settings: dict[str, str]
) -> None:
    with starting_slowly(**settings) as sidecar, Callers(sidecar.port).asking() as callers:
        first = set(sidecar.workers())
        wait_for(lambda: not first & set(sidecar.workers()))

    assert callers.failures == []
    assert callers.longest < NO_WAIT
    assert callers.last > 0


def test_a_reload_under_load_loses_nothing(starting_slowly: Callable[..., Sidecar]) -> None:
    with starting_slowly() as sidecar, Callers(sidecar.port).asking() as callers:
        for _ in range(2):
            before = set(sidecar.workers())
            sidecar.process.send_signal(signal.SIGHUP)
            wait_for(lambda before=before: not before & set(sidecar.workers()))

    assert callers.failures == []
    assert callers.longest < NO_WAIT
    assert callers.last > 0


@contextlib.contextmanager
def reloading_after_a_death(
    starting_slowly: Callable[..., Sidecar],
) -> Iterator[tuple[Sidecar, int]]:
    """A sidecar at a reload whose new worker was killed, and the pid of the old one."""
    with starting_slowly(GRACEFUL_TIMEOUT="35") as sidecar:
        (old,) = sidecar.workers()
        sidecar.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(sidecar.workers()) == 2)
        (killed,) = set(sidecar.workers()) - {old}
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: set(sidecar.workers()) - {old, killed}, within=20)
        yield sidecar, old


def test_a_reload_goes_on_where_a_new_worker_dies(
    starting_slowly: Callable[..., Sidecar],
) -> None:
    with reloading_after_a_death(starting_slowly) as (sidecar, old):
        wait_for(lambda: old not in sidecar.workers(), within=20)
        assert ask(sidecar.port, get("/-/healthz")).status == 200


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_stop_is_not_kept_waiting_by_a_reload(
    starting_slowly: Callable[..., Sidecar], stop: signal.Signals
) -> None:
    with reloading_after_a_death(starting_slowly) as (sidecar, _):
        sidecar.process.send_signal(stop)
        assert sidecar.process.wait(20) == 0


def test_without_the_setting_no_worker_is_replaced(sidecar: Sidecar) -> None:
    (worker,) = sidecar.workers()

    with connected(sidecar.port) as sock:
        for _ in range(300):
            sock.sendall(get("/-/healthz"))
            assert answer_on(sock).header("Connection") == "keep-alive"

    time.sleep(2.5)  # twice the time in which a worker would have told that it wants to end
    assert sidecar.workers() == [worker]


@pytest.fixture
def running(upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    with sidecar_before(upstream.url, GRACEFUL_TIMEOUT="20") as sidecar:
        yield sidecar


def test_a_request_that_comes_just_after_the_stop_is_answered_as_the_last(
    running: Sidecar,
) -> None:
    with connected(running.port) as kept, connected(running.port) as cut:
        for sock in (kept, cut):
            sock.sendall(get("/-/healthz"))
            assert answer_on(sock).header("Connection") == "keep-alive"

        whole = get("/-/healthz")
        cut.sendall(whole[:20])
        (worker,) = running.workers()
        os.kill(worker, signal.SIGTERM)
        time.sleep(0.3)
        kept.sendall(whole)
        cut.sendall(whole[20:])

        for sock in (kept, cut):
            answer = answer_on(sock)
            assert (answer.status, answer.header("Connection")) == (200, "close")
            assert sock.recv(1) == b""


def test_an_answer_that_begins_after_the_stop_says_that_it_is_the_last(
    running: Sidecar,
) -> None:
    """The caller would else send its next request into a connection that is being closed."""
    answers: list[RawAnswer] = []
    request = get("/proxy/app", "x-sandbox-fault: slow=2")
    asking = threading.Thread(target=lambda: answers.append(ask(running.port, request)))
    asking.start()
    time.sleep(0.7)
    running.process.send_signal(signal.SIGTERM)
    asking.join()

    assert [(one.status, one.header("Connection")) for one in answers] == [(200, "close")]


def test_the_last_answer_survives_a_request_that_was_sent_after_its_own(
    running: Sidecar,
) -> None:
    """Closed with unread bytes, the connection would be reset, and the answer lost with it."""
    with connected(running.port) as hurried:
        hurried.sendall(get("/proxy/_sandbox/bytes?size=3000000", "x-sandbox-fault: slow=1"))
        time.sleep(0.3)
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        hurried.sendall(get("/-/healthz") * 20)
        time.sleep(2)
        answer = answer_on(hurried)

    assert (answer.complete, answer.header("Connection")) == (True, "close")


def test_a_worker_that_is_told_to_stop_is_replaced_while_it_ends(
    running: Sidecar,
) -> None:
    (worker,) = running.workers()

    with connected(running.port) as kept:
        kept.sendall(get("/proxy/_sandbox/drip?pieces=100&seconds=0.1"))
        time.sleep(0.3)
        os.kill(worker, signal.SIGTERM)
        wait_for(lambda: len(running.workers()) == 2, within=5)
        assert ask(running.port, get("/-/healthz")).status == 200
        assert answer_on(kept).complete

    wait_for(lambda: worker not in running.workers())


def test_more_or_fewer_workers_by_signal(running: Sidecar) -> None:
    (first,) = running.workers()
    running.process.send_signal(signal.SIGTTIN)
    wait_for(lambda: len(running.workers()) == 2)
    running.process.send_signal(signal.SIGTTOU)
    wait_for(lambda: len(running.workers()) == 1)

    assert first not in running.workers()
    assert ask(running.port, get("/-/healthz")).status == 200
