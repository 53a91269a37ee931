"""What happens between SIGTERM and the graceful stop, and to what is cut at its end."""

import contextlib
import dataclasses
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatproxy import settings
from chatproxy.providers import SETTINGS
from tests.calls import Reply, call
from tests.server.test_replacement import wait_for
from tests.sidecar import Sidecar, free_port
from tests.upstream import StreamUpstream
from tests.wire import RawAnswer, answer_on, ask, connected, get

#: Long enough for all that a test does meanwhile, however busy the machine is.
LONG = "600"


@dataclasses.dataclass
class Draining:
    """A sidecar that was told to stop, and a connection that was used before."""

    sidecar: Sidecar
    kept: socket.socket

    @property
    def workers(self) -> set[int]:
        return set(self.sidecar.workers())

    def ready(self) -> Reply:
        return call(self.sidecar.probed[1], "GET", "/-/ready")


@pytest.fixture
def draining(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> Iterator[Draining]:
    """Told to stop, with as much time as a test wants; a second SIGTERM ends it."""
    with (
        sidecar_before(
            upstream.url,
            DRAIN_SECONDS=LONG,
            GRACEFUL_TIMEOUT="10",
            WORKERS="2",
            STATUS_PORT=str(free_port()),
        ) as sidecar,
        connected(sidecar.port) as kept,
    ):
        kept.sendall(get("/proxy/app"))
        assert answer_on(kept).header("Connection") == "keep-alive"
        made = Draining(sidecar, kept)
        sidecar.process.send_signal(signal.SIGTERM)
        wait_for(lambda: made.ready().status == 503)
        yield made


def test_readiness_says_it_and_liveness_does_not(draining: Draining) -> None:
    replies = [draining.ready() for _ in range(10)]  # of both workers

    assert {one.status for one in replies} == {503}
    assert replies[0].json["reasons"] == ["draining"]
    assert replies[0].json["message"] == "The sidecar is being stopped."
    assert call(draining.sidecar.probed[1], "GET", "/-/healthz").status == 200


def test_requests_are_served_and_are_the_last_of_their_connections(draining: Draining) -> None:
    draining.kept.sendall(get("/proxy/app"))
    answers = [
        answer_on(draining.kept),
        *(ask(draining.sidecar.port, get("/proxy/app")) for _ in range(9)),
    ]

    assert {(one.status, one.header("Connection")) for one in answers} == {(200, "close")}
    assert draining.kept.recv(1) == b""


def test_a_worker_that_dies_meanwhile_is_replaced_by_one_that_knows(draining: Draining) -> None:
    before = draining.workers

    for worker in before:
        os.kill(worker, signal.SIGKILL)

    wait_for(lambda: len(draining.workers - before) == 2)
    assert draining.ready().status == 503
    assert ask(draining.sidecar.port, get("/proxy/app")).header("Connection") == "close"


def test_a_reload_meanwhile_does_nothing(draining: Draining) -> None:
    before = draining.workers
    draining.sidecar.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "Not reloading" in draining.sidecar.output.read_text())

    assert draining.workers == before
    assert draining.ready().status == 503


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_further_signal_ends_it(draining: Draining, stop: signal.Signals) -> None:
    draining.sidecar.process.send_signal(stop)

    assert draining.sidecar.process.wait(30) == 0


@pytest.mark.parametrize(
    ("drain", "graceful", "warned"),
    [("5", "25", True), ("5", "23", False), ("0", "60", False)],
)
def test_a_stop_that_a_pod_may_not_wait_for_is_warned_of(
    drain: str, graceful: str, warned: bool
) -> None:
    environ = {
        "STREAM_API_KEY": "key",
        "STREAM_API_SECRET": "s" * 40,
        "DRAIN_SECONDS": drain,
        "GRACEFUL_TIMEOUT": graceful,
    }
    found = [one for one in settings.load(SETTINGS, environ).warnings() if "a stop takes" in one]

    assert bool(found) == warned
    assert all("32 s" in one and "terminationGracePeriodSeconds" in one for one in found)


def test_it_ends_by_itself(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with sidecar_before(upstream.url, DRAIN_SECONDS="2") as sidecar:
        began = time.monotonic()
        sidecar.process.send_signal(signal.SIGTERM)

        assert sidecar.process.wait(60) == 0
        assert time.monotonic() - began >= 2


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGQUIT])
def test_control_c_waits_for_nobody(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], stop: signal.Signals
) -> None:
    with sidecar_before(upstream.url, DRAIN_SECONDS=LONG, GRACEFUL_TIMEOUT=LONG) as sidecar:
        answers: list[RawAnswer] = []
        request = get("/proxy/app", "x-request-id: cut", "x-sandbox-fault: slow=60")
        asking = threading.Thread(target=lambda: answers.append(ask(sidecar.port, request)))
        asking.start()
        upstream.journal.wait_for(lambda one: one.target.startswith("/app"), timeout=30)
        sidecar.process.send_signal(stop)
        assert sidecar.process.wait(30) == 0
        asking.join()

    assert [(one.status, one.complete) for one in answers] == [(503, True)]
    assert sidecar.wait_for_line(req_id="cut")["brokenBy"] == "sidecar"


def test_a_worker_that_is_replaced_leaves_the_service_ready(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    """Nobody is to be taken out of service for a reload, nor for MAX_REQUESTS."""
    seen: set[int] = set()

    with sidecar_before(upstream.url, DRAIN_SECONDS=LONG, GRACEFUL_TIMEOUT="10") as sidecar:
        (before,) = sidecar.workers()

        with connected(sidecar.port) as busy, connected(sidecar.port) as kept:
            busy.sendall(get("/proxy/_sandbox/drip?pieces=40&seconds=0.1"))
            kept.sendall(get("/-/ready"))
            seen.add(answer_on(kept).status)
            sidecar.process.send_signal(signal.SIGHUP)

            while before in sidecar.workers():
                seen.add(call(sidecar.port, "GET", "/-/ready").status)

            assert answer_on(busy).complete

    assert seen == {200}


@contextlib.contextmanager
def cut(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], request: bytes
) -> Iterator[tuple[Sidecar, socket.socket]]:
    """A sidecar that is stopped while this request is under way, and does not wait for its end."""
    with (
        sidecar_before(upstream.url, GRACEFUL_TIMEOUT="1") as sidecar,
        connected(sidecar.port, timeout=60) as caller,
    ):
        caller.sendall(request)
        wait_for(lambda: "incoming request" in sidecar.output.read_text())
        time.sleep(0.5)
        began = time.monotonic()
        sidecar.process.send_signal(signal.SIGTERM)
        assert sidecar.process.wait(30) == 0
        assert time.monotonic() - began < 10
        yield sidecar, caller


CUT = "x-request-id: cut"
UPLOAD = get("/proxy/app", CUT, "Content-Length: 100000", method="POST") + b"x" * 1000


@pytest.mark.parametrize(
    "request_",
    [get("/proxy/app", CUT, "x-sandbox-fault: slow=60"), UPLOAD],
    ids=["waits for the provider", "sends its body"],
)
def test_what_has_no_answer_yet_gets_one_and_leaves_a_line(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], request_: bytes
) -> None:
    with cut(upstream, sidecar_before, request_) as (sidecar, caller):
        answer = answer_on(caller)
        line = sidecar.wait_for_line(req_id="cut")

    assert (answer.status, answer.header("Connection")) == (503, "close")
    assert b"The sidecar is being stopped." in answer.body
    assert line["brokenBy"] == "sidecar"
    assert line["error"]["type"] == "ShuttingDown"
    assert line["http"]["response"]["statusCode"] == 503
    assert line["url"]["path"] == "/proxy/app"
    assert line["responseTime"] >= 1000


def test_an_answer_under_way_is_broken_and_leaves_a_line(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    drip = get("/proxy/_sandbox/drip?pieces=600&seconds=0.1", CUT)

    with cut(upstream, sidecar_before, drip) as (sidecar, caller):
        assert not answer_on(caller).complete
        line = sidecar.wait_for_line(req_id="cut")

    assert (line["brokenBy"], line["error"]["type"]) == ("sidecar", "ShuttingDown")
    assert line["http"]["response"]["statusCode"] == 200
    assert line["http"]["response"]["body"]["bytes"] > 0


def test_an_answer_that_nobody_reads_leaves_a_line(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    large = get("/proxy/_sandbox/bytes?size=100000000", CUT)

    with cut(upstream, sidecar_before, large) as (sidecar, _):
        line = sidecar.wait_for_line(req_id="cut")

    assert (line["brokenBy"], line["error"]["type"]) == ("sidecar", "ShuttingDown")


def test_nothing_else_is_said_of_what_is_cut(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    drip = get("/proxy/_sandbox/drip?pieces=600&seconds=0.1", CUT)

    with cut(upstream, sidecar_before, drip) as (sidecar, _):
        pass

    assert [line for line in sidecar.lines() if line["level"] >= 40] == []
    assert len(sidecar.completed(req_id="cut")) == 1


#: A new worker stays for this long as its fork has made it, with the handlers of the arbiter.
SLOW_CHILD = """
import os, time

fork = os.fork

def slow():
    pid = fork()

    if not pid:
        time.sleep(3)

    return pid

os.fork = slow
"""


def test_a_signal_to_a_new_worker_alone_stops_no_service(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW_CHILD)

    with sidecar_before(upstream.url, PYTHONPATH=str(tmp_path)) as sidecar:
        before = set(sidecar.workers())
        sidecar.process.send_signal(signal.SIGHUP)
        wait_for(lambda: set(sidecar.workers()) - before)
        (young,) = set(sidecar.workers()) - before
        time.sleep(0.5)  # what comes within the fork itself is lost
        os.kill(young, signal.SIGTERM)
        wait_for(lambda: not before & set(sidecar.workers()))

        assert call(sidecar.port, "GET", "/-/ready").status == 200
        assert ask(sidecar.port, get("/-/healthz")).header("Connection") == "keep-alive"
