"""Which waits for callers are ended, and when."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from chatproxy.server.waits import AGAIN, Wait, Waits, What
from tests.stopwatch import Stopwatch

LIMIT = 10.0


@pytest.fixture
def waits(clock: Stopwatch) -> Waits:
    made = Waits()
    made.monotonic = clock
    return made


@contextlib.contextmanager
def begun(waits: Waits, what: What) -> Iterator[tuple[Wait, socket.socket]]:
    ours, theirs = socket.socketpair()

    with ours, theirs, waits.waiting(ours, what) as wait:
        yield wait, theirs


def test_waits_for_a_request_end_at_their_limit(waits: Waits, clock: Stopwatch) -> None:
    assert waits.end_heads(LIMIT) == LIMIT

    with begun(waits, What.HEAD) as (first, _):
        clock.now += 4

        with begun(waits, What.HEAD) as (second, _):
            assert waits.end_heads(LIMIT) == 6
            clock.now += 6
            assert waits.end_heads(LIMIT) == 4
            assert (first.ended, second.ended) == (True, False)
            assert first.sock.recv(1) == b""

            # Until the first one's greenlet has run, it is there still.
            assert waits.end_heads(LIMIT) == 4

    assert waits.end_heads(LIMIT) == LIMIT


def test_no_other_wait_does(waits: Waits, clock: Stopwatch) -> None:
    with begun(waits, What.BODY) as (body, _), begun(waits, What.READING) as (reading, _):
        clock.now += 2 * LIMIT
        assert waits.end_heads(LIMIT) == LIMIT
        assert not body.ended
        assert not reading.ended


def test_a_request_that_comes_at_the_last_moment_is_read(waits: Waits, clock: Stopwatch) -> None:
    with begun(waits, What.HEAD) as (late, caller), begun(waits, What.HEAD) as (silent, _):
        clock.now += LIMIT
        caller.send(b"G")

        assert waits.end_heads(LIMIT) == AGAIN
        assert (late.ended, silent.ended) == (False, True)
        assert late.sock.recv(1) == b"G"
        assert waits.end_heads(LIMIT) == LIMIT
        assert late.ended
