"""Connections that say nothing, or say it slowly, leave room for probes and for the service."""

import contextlib
import resource
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from chatproxy.server.worker import most_connections
from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import answer_on, ask, connected, get

HELD = 32
CROWD = 150
SOON = 10

#: So many that, were each waited for until its end, there would be no room for longer than SOON.
REFUSED_CROWD = 800

BEGINNINGS: dict[str, bytes] = {
    "silent": b"",
    "half a head": b"GET /-/healthz HTTP/1.1\r\nHost: local",
    "a body that does not come": get("/proxy/channels", "Content-Length: 10", method="POST"),
    "half a body": get("/proxy/channels", "Content-Length: 10", method="POST") + b"{",
    "half a chunk": get("/proxy/channels", "Transfer-Encoding: chunked", method="POST") + b"9\r\n{",
    "half a body of our own": get("/webhook/verify", "Content-Length: 10", method="POST") + b"{",
    "idle after an answer": get("/-/healthz"),
}

#: Each is answered at once, and then may go on sending for a while.
REFUSED: dict[str, bytes] = {
    "without its body": get("/nowhere", "Content-Length: 100000", method="POST"),
    "as the slowest": BEGINNINGS["half a body"],
    "by its Host": b"GET /-/healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
}


@pytest.fixture(scope="module")
def small(upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    with sidecar_before(upstream.url, WORKER_CONNECTIONS=str(HELD)) as sidecar:
        yield sidecar


@contextlib.contextmanager
def crowd(port: int, beginning: bytes, many: int = CROWD) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        made = []

        for _ in range(many):
            made.append(stack.enter_context(connected(port)))

            with contextlib.suppress(OSError):  # it was the slowest already
                made[-1].sendall(beginning)

        yield made


@contextlib.contextmanager
def idle(port: int) -> Iterator[None]:
    """One more that is held, and has been served."""
    with connected(port) as sock:
        sock.sendall(get("/-/healthz"))
        assert answer_on(sock).status == 200
        yield


def check_served(sidecar: Sidecar) -> None:
    for path in ("/-/healthz", "/-/ready", "/proxy/app") * 5:
        assert ask(sidecar.port, get(path, "Connection: close"), timeout=SOON).status == 200


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
def test_a_crowd_shuts_nobody_out(small: Sidecar, beginning: bytes) -> None:
    with crowd(small.port, beginning):
        check_served(small)


@pytest.mark.parametrize("beginning", REFUSED.values(), ids=REFUSED)
def test_nor_does_one_that_was_refused(small: Sidecar, beginning: bytes) -> None:
    with crowd(small.port, beginning, many=REFUSED_CROWD):
        check_served(small)


def test_nor_does_one_that_reads_nothing(small: Sidecar) -> None:
    with crowd(small.port, get("/proxy/_sandbox/bytes?size=20000000"), many=2 * HELD + 6):
        check_served(small)


def test_nor_does_one_that_drips(small: Sidecar) -> None:
    over = threading.Event()

    with crowd(small.port, b"GET /-/healthz HTTP/1.1\r\n") as made:

        def drip() -> None:
            while not over.wait(0.2):
                for one in made:
                    with contextlib.suppress(OSError):
                        one.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()

        try:
            check_served(small)
        finally:
            over.set()
            dripping.join()


def test_a_connection_in_use_is_not_the_one_that_goes(small: Sidecar) -> None:
    with connected(small.port) as kept, contextlib.ExitStack() as stack:
        for _ in range(CROWD):
            kept.sendall(get("/-/healthz"))
            assert answer_on(kept).status == 200
            stack.enter_context(idle(small.port))


def test_an_upload_that_moves_and_a_call_under_way_go_on(small: Sidecar) -> None:
    request = get("/proxy/_sandbox/echo", f"Content-Length: {CROWD}", method="POST")

    with (
        connected(small.port) as moving,
        connected(small.port) as waiting,
        contextlib.ExitStack() as stack,
    ):
        waiting.sendall(get("/proxy/_sandbox/drip?pieces=20&seconds=0.1"))
        moving.sendall(request)

        for _ in range(CROWD):
            moving.sendall(b"x")
            stack.enter_context(idle(small.port))

        uploaded, dripped = answer_on(moving, "POST"), answer_on(waiting)

    assert uploaded.status == 200
    assert (dripped.status, dripped.complete) == (200, True)


def test_the_slow_body_that_goes_is_told_so(small: Sidecar) -> None:
    with connected(small.port) as slow:
        slow.sendall(BEGINNINGS["half a body"])

        with crowd(small.port, b""):
            answer = answer_on(slow, "POST")

    assert answer.status == 408
    assert b"slowest" in answer.body


def test_below_the_limit_nobody_goes(small: Sidecar) -> None:
    with crowd(small.port, b"", many=HELD - 1) as made:
        for one in made:
            one.sendall(get("/-/healthz"))
            assert answer_on(one).status == 200


@pytest.mark.parametrize(
    ("files", "held"),
    [(resource.RLIM_INFINITY, 4096), (8448, 4096), (1024, 384), (256, 96), (64, 24), (1, 1)],
)
def test_no_more_are_held_than_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch, files: int, held: int
) -> None:
    """Else new connections could not be accepted long before the limit."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))

    assert most_connections(4096) == held
