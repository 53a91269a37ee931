"""Which idle connections are kept, and which are used again."""

import socket
from collections.abc import Iterator

import h11
import pytest

from chatproxy.forwarding.connection import Connection
from chatproxy.forwarding.pool import OLDEST_IDLE, Pool
from chatproxy.forwarding.timeouts import Deadline, Limits
from tests.stopwatch import Stopwatch

LIMITS = Limits(connect=1, read=1, total=1, body_idle=1, body_total=1, body_bytes=1)
REQUEST = h11.Request(method="GET", target="/", headers=[("Host", "a")])
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    """The upstream's ends of the connections that a test made."""
    made: list[socket.socket] = []
    yield made

    for sock in made:
        sock.close()


def connection(
    clock: Stopwatch, sockets: list[socket.socket], answer: bytes = ANSWER
) -> Connection:
    """A connection that has had one exchange."""
    ours, theirs = socket.socketpair()
    sockets.append(theirs)
    theirs.sendall(answer)
    made = Connection(ours)
    deadline = Deadline(LIMITS, clock)
    made.exchange(REQUEST, None, deadline)
    assert b"".join(made.pieces(deadline)) == b""
    return made


def test_the_last_one_given_is_taken_first(clock: Stopwatch, sockets: list[socket.socket]) -> None:
    pool = Pool(2, clock)
    first, second = connection(clock, sockets), connection(clock, sockets)
    pool.give(first)
    pool.give(second)

    assert [pool.take(), pool.take(), pool.take()] == [second, first, None]
    first.close()
    second.close()


def test_beyond_its_size_the_oldest_is_closed(
    clock: Stopwatch, sockets: list[socket.socket]
) -> None:
    pool = Pool(1, clock)
    pool.give(connection(clock, sockets))
    pool.give(connection(clock, sockets))

    assert _is_closed(sockets[0])
    assert not _is_closed(sockets[1])
    pool.close()


def test_a_pool_of_none_keeps_none(clock: Stopwatch, sockets: list[socket.socket]) -> None:
    Pool(0, clock).give(connection(clock, sockets))

    assert _is_closed(sockets[0])


def test_one_that_was_idle_for_long_is_not_used_again(
    clock: Stopwatch, sockets: list[socket.socket]
) -> None:
    pool = Pool(2, clock)
    pool.give(connection(clock, sockets))
    clock.now = OLDEST_IDLE

    assert pool.take() is None
    assert _is_closed(sockets[0])


def test_those_that_were_given_later_stay(clock: Stopwatch, sockets: list[socket.socket]) -> None:
    pool = Pool(3, clock)
    made = [connection(clock, sockets) for _ in range(3)]

    for one in made:
        clock.now += 1
        pool.give(one)

    pool.close_since(made[1].idle_since)

    assert [_is_closed(sock) for sock in sockets] == [True, True, False]
    pool.close()


@pytest.mark.parametrize("unasked", [b"", b"HTTP/1.1 408 Late\r\n\r\n"], ids=["end", "answer"])
def test_one_that_is_not_silent_is_not_used_again(
    clock: Stopwatch, sockets: list[socket.socket], unasked: bytes
) -> None:
    pool = Pool(2, clock)
    pool.give(connection(clock, sockets))
    sockets[0].sendall(unasked) if unasked else sockets[0].shutdown(socket.SHUT_WR)

    assert pool.take() is None


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"),
        ANSWER + b"HTTP/1.1 200 OK\r\n",
        ANSWER.replace(b"1.1", b"1.0"),
    ],
    ids=["close", "more than asked for", "HTTP/1.0"],
)
def test_one_that_cannot_have_another_request_is_closed(
    clock: Stopwatch, sockets: list[socket.socket], answer: bytes
) -> None:
    pool = Pool(2, clock)
    pool.give(connection(clock, sockets, answer))

    assert pool.take() is None
    assert _is_closed(sockets[0])


def _is_closed(sock: socket.socket) -> bool:
    """Say whether the other end was closed; the request that came before is read."""
    sock.settimeout(0.2)

    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True

    return True
