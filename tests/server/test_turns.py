"""A connection that always asks again does not keep its worker from the others."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import answer_on, ask, connected, get

PROBE = get("/-/healthz")

#: More than the worker answers while the next are on their way.
AT_ONCE = 64

SOON = 10


@pytest.fixture(scope="module")
def alone(upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    """One worker: there is no other that could serve."""
    with sidecar_before(upstream.url, WORKERS="1") as sidecar:
        yield sidecar


@contextlib.contextmanager
def always_asking(port: int) -> Iterator[None]:
    """A connection on which the next request is always there already."""

    def send(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock.sendall(PROBE * AT_ONCE)

    def read(sock: socket.socket) -> None:
        # All of it: a worker that waits for its caller to read has time for others.
        with contextlib.suppress(OSError):
            while sock.recv(1024 * 1024):
                pass

    with connected(port) as sock:
        sock.sendall(PROBE)
        assert answer_on(sock).status == 200
        sock.settimeout(6 * SOON)
        threads = [threading.Thread(target=one, args=(sock,)) for one in (send, read)]

        for thread in threads:
            thread.start()

        try:
            yield
        finally:
            sock.shutdown(socket.SHUT_RDWR)

            for thread in threads:
                thread.join()


def test_a_new_connection_is_served(alone: Sidecar) -> None:
    with always_asking(alone.port):
        for _ in range(5):
            assert ask(alone.port, PROBE, timeout=SOON).status == 200


def test_a_kept_connection_is_served(alone: Sidecar) -> None:
    with connected(alone.port) as kept, always_asking(alone.port):
        kept.settimeout(SOON)

        for _ in range(5):
            kept.sendall(PROBE)
            assert answer_on(kept).status == 200


def test_a_forwarded_call_is_served(alone: Sidecar) -> None:
    with always_asking(alone.port):
        assert ask(alone.port, get("/proxy/app"), timeout=SOON).status == 200
