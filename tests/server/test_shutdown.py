"""What happens to requests and connections when the sidecar is told to stop."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import RawAnswer, answer_on, ask, connected, get

#: The level of a line.
ERROR = 50


@pytest.fixture
def running(upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    with sidecar_before(upstream.url, GRACEFUL_TIMEOUT="10") as sidecar:
        yield sidecar


def test_a_request_under_way_is_finished_and_the_exit_is_clean(running: Sidecar) -> None:
    answers: list[RawAnswer] = []
    request = get("/proxy/_sandbox/drip?pieces=10&seconds=0.3")
    asking = threading.Thread(target=lambda: answers.append(ask(running.port, request)))
    asking.start()
    time.sleep(0.5)
    running.process.send_signal(signal.SIGTERM)
    asking.join()

    assert running.process.wait(10) == 0
    assert [(one.status, one.complete) for one in answers] == [(200, True)]


def test_idle_connections_do_not_hold_the_shutdown_up(running: Sidecar) -> None:
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(running.port)) for _ in range(20)]

        for sock in idle:
            sock.sendall(get("/-/healthz"))
            assert answer_on(sock).status == 200

        started = time.monotonic()
        running.process.send_signal(signal.SIGTERM)

        assert running.process.wait(9) == 0
        assert time.monotonic() - started < 8
        assert [sock.recv(100) for sock in idle] == [b""] * len(idle)

    assert [line for line in running.lines() if line["level"] >= ERROR] == []


def test_the_worker_that_is_killed_is_replaced(running: Sidecar) -> None:
    (worker,) = running.workers()
    running_before = set(running.workers())
    os.kill(worker, signal.SIGKILL)
    until = time.monotonic() + 10

    while time.monotonic() < until and not set(running.workers()) - running_before:
        time.sleep(0.1)

    assert ask(running.port, get("/proxy/app")).status == 200


def test_a_connection_that_sends_no_whole_head_is_closed(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with (
        sidecar_before(upstream.url, KEEPALIVE_TIMEOUT="1") as sidecar,
        connected(sidecar.port) as slow,
        connected(sidecar.port) as silent,
        connected(sidecar.port) as idle,
    ):
        idle.sendall(get("/-/healthz"))
        assert answer_on(idle).status == 200
        slow.sendall(b"GET /proxy/app HTTP/1.1\r\n")
        started = time.monotonic()

        assert [sock.recv(100) for sock in (slow, silent, idle)] == [b"", b"", b""]
        assert time.monotonic() - started < 4


def test_a_connection_that_drips_its_head_is_closed(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with (
        sidecar_before(upstream.url, KEEPALIVE_TIMEOUT="1") as sidecar,
        connected(sidecar.port) as dripping,
    ):
        started = time.monotonic()

        with contextlib.suppress(ConnectionError):
            while time.monotonic() - started < 10:
                dripping.sendall(b"G")
                time.sleep(0.01)

        assert time.monotonic() - started < 4


def test_a_kept_connection_whose_request_ends_meanwhile_does_not_hold_it_up(
    running: Sidecar,
) -> None:
    with connected(running.port) as kept:
        kept.sendall(get("/proxy/_sandbox/drip?pieces=5&seconds=0.3"))
        time.sleep(0.4)
        running.process.send_signal(signal.SIGTERM)
        assert answer_on(kept).complete
        ended = time.monotonic()

        assert running.process.wait(10) == 0
        assert time.monotonic() - ended < 8
