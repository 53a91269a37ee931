"""Which idle connections are kept, and which are used again."""

import socket
from collections.abc import Iterator

import pytest

from chatproxy.forwarding.connection import Connection
from chatproxy.forwarding.pool import OLDEST_IDLE, Pool
from chatproxy.forwarding.timeouts import Deadline, Limits
from tests.stopwatch import Stopwatch

#: Longer than any may be idle.
MAX_AGE = 3 * OLDEST_IDLE
LIMITS = Limits(connect=1, read=1, total=1, body_idle=1, body_total=1, body_bytes=1)
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
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
    made = Connection(ours, opened_at=clock.now)
    exchange(made, clock)
    return made


def exchange(one: Connection, clock: Stopwatch) -> None:
    """Send a request, and read the answer that is there already."""
    deadline = Deadline(LIMITS, clock)
    one.exchange(REQUEST, None, deadline)
    assert b"".join(one.pieces(deadline)) == b""


def test_the_last_one_given_is_taken_first(clock: Stopwatch, sockets: list[socket.socket]) -> None:
    pool = Pool(2, MAX_AGE, clock)
    first, second = connection(clock, sockets), connection(clock, sockets)
    pool.give(first)
    pool.give(second)

    assert [pool.take(), pool.take(), pool.take()] == [second, first, None]
    first.close()
    second.close()


def test_beyond_its_size_the_oldest_is_closed(
    clock: Stopwatch, sockets: list[socket.socket]
) -> None:
    pool = Pool(1, MAX_AGE, clock)
    pool.give(connection(clock, sockets))
    pool.give(connection(clock, sockets))

    assert _is_closed(sockets[0])
    assert not _is_closed(sockets[1])
    pool.close()


def test_a_pool_of_none_keeps_none(clock: Stopwatch, sockets: list[socket.socket]) -> None:
    Pool(0, MAX_AGE, clock).give(connection(clock, sockets))

    assert _is_closed(sockets[0])


def test_one_that_was_idle_for_long_is_not_used_again(
    clock: Stopwatch, sockets: list[socket.socket]
) -> None:
    pool = Pool(2, MAX_AGE, clock)
    pool.give(connection(clock, sockets))
    clock.now = OLDEST_IDLE

    assert pool.take() is None
    assert _is_closed(sockets[0])


def test_those_that_were_given_later_stay(clock: Stopwatch, sockets: list[socket.socket]) -> None:
    pool = Pool(3, MAX_AGE, clock)
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
    pool = Pool(2, MAX_AGE, clock)
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
    pool = Pool(2, MAX_AGE, clock)
    pool.give(connection(clock, sockets, answer))

    assert pool.take() is None
    assert _is_closed(sockets[0])


def promising(*values: bytes) -> bytes:
    """An answer with a `Keep-Alive` field of each value."""
    fields = b"".join(b"Keep-Alive: %s\r\n" % value for value in values)
    return ANSWER.replace(b"OK\r\n", b"OK\r\n" + fields)


@pytest.mark.parametrize(
    ("values", "longest"),
    [
        ([b"timeout=5"], 4),
        ([b"timeout=5, max=100"], 4),
        ([b"max=100;TimeOut = 5"], 4),
        ([b"timeout=9", b"timeout=5, timeout=7"], 4),
        ([b"timeout=600"], OLDEST_IDLE),
        ([b"timeout=99999999999999999999"], OLDEST_IDLE),
        ([b"timeout=" + b"9" * 20_000], OLDEST_IDLE),
        ([b"timeout=1e9"], OLDEST_IDLE),
        ([b"timeout=-5"], OLDEST_IDLE),
        ([b"timeout=+5"], OLDEST_IDLE),
        ([b"timeout=5.5"], OLDEST_IDLE),
        ([b"timeout=0x5"], OLDEST_IDLE),
        ([b"timeout=5s"], OLDEST_IDLE),
        ([b'timeout="5"'], OLDEST_IDLE),
        ([b"timeout=\xd9\xa3"], OLDEST_IDLE),
        ([b"timeout=", b"timeout", b"=5", b"," * 9000], OLDEST_IDLE),
        ([b'max=-1, max=1e9, max="0"'], OLDEST_IDLE),
        ([b"junk, timeout=x, timeout=5"], 4),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_promise_of_the_upstream_can_only_shorten_the_wait(
    clock: Stopwatch, sockets: list[socket.socket], values: list[bytes], longest: float
) -> None:
    pool = Pool(2, MAX_AGE, clock)
    pool.give(connection(clock, sockets, promising(*values)))
    clock.now += longest - 0.1
    taken = pool.take()
    assert taken is not None

    sockets[0].sendall(ANSWER)  # which promises nothing, so the promise before holds
    exchange(taken, clock)
    pool.give(taken)
    clock.now += longest

    assert pool.take() is None
    assert _is_closed(sockets[0])


@pytest.mark.parametrize("value", [b"timeout=0", b"timeout=1", b"max=0", b"timeout=50, max=00"])
def test_one_that_the_upstream_ends_at_once_is_closed(
    clock: Stopwatch, sockets: list[socket.socket], value: bytes
) -> None:
    Pool(2, MAX_AGE, clock).give(connection(clock, sockets, promising(value)))

    assert _is_closed(sockets[0])


def test_one_is_used_no_more_often_than_the_upstream_allows(
    clock: Stopwatch, sockets: list[socket.socket]
) -> None:
    """Some servers count down; one that says the same each time allows no more for that."""
    pool = Pool(2, MAX_AGE, clock)
    pool.give(connection(clock, sockets, promising(b"max=2")))

    for _ in range(2):
        taken = pool.take()
        assert taken is not None
        sockets[0].sendall(promising(b"max=2"))
        exchange(taken, clock)
        pool.give(taken)

    assert pool.take() is None
    assert _is_closed(sockets[0])


@pytest.mark.parametrize("pause", [15.0, 20.0])
def test_one_that_is_always_busy_grows_old_as_well(
    clock: Stopwatch, sockets: list[socket.socket], pause: float
) -> None:
    pool = Pool(2, MAX_AGE, clock)
    pool.give(connection(clock, sockets))

    while (taken := pool.take()) is not None:
        assert clock.now < MAX_AGE
        sockets[0].sendall(ANSWER)
        exchange(taken, clock)
        clock.now += pause / 2
        pool.give(taken)
        clock.now += pause / 2

    assert MAX_AGE <= clock.now < MAX_AGE + pause
    assert _is_closed(sockets[0])


def test_those_that_nobody_takes_do_not_stay_for_ever(
    clock: Stopwatch, sockets: list[socket.socket]
) -> None:
    """The last one given is taken first, so the others are never looked at."""
    pool = Pool(2, MAX_AGE, clock)
    pool.give(connection(clock, sockets))
    clock.now = OLDEST_IDLE
    pool.give(connection(clock, sockets))

    assert [_is_closed(sock) for sock in sockets] == [True, False]
    pool.close()


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
