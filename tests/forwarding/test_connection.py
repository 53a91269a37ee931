"""One connection to an upstream, whose other end does what a real one seldom does on time."""

import contextlib
import itertools
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from chatproxy.errors import UpstreamBroken, UpstreamTimeout
from chatproxy.forwarding.answers import Head
from chatproxy.forwarding.body import SMALL, CallerBody
from chatproxy.forwarding.connection import Connection
from chatproxy.forwarding.headers import LARGEST_HEAD, MOST_FIELDS
from chatproxy.forwarding.timeouts import Deadline, Limits

LIMITS = Limits(connect=5, read=5, total=5, body_idle=0.3, body_total=5, body_bytes=1 << 40)
RESET = struct.pack("ii", 1, 0)
EARLY = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"


class Endless:
    """A caller whose body never ends; `between` happens before each piece but the first."""

    def __init__(self, between: Callable[[], None] = lambda: None) -> None:
        self._between = between
        self._count = itertools.count()

    def has(self, _size: int) -> bool:
        return False

    def read1(self, most: int, _watched: Any) -> bytes:
        if next(self._count):
            self._between()

        return b"x" * most


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection over TCP, and the upstream's end of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()

    made = Connection(ours, opened_at=time.monotonic())
    yield made, theirs
    made.close()
    theirs.close()


def post(connection: Connection, source: Endless) -> Head:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    return connection.exchange(head, CallerBody(source, None), Deadline(LIMITS, time.monotonic))


def get(connection: Connection) -> Head:
    head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    return connection.exchange(head, None, Deadline(LIMITS, time.monotonic))


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


def test_an_upstream_that_takes_no_more_of_a_body_is_left_at_the_limit(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, _ = ends
    started = time.monotonic()

    with pytest.raises(UpstreamTimeout, match="took no more"):
        post(connection, Endless())

    assert time.monotonic() - started < 3


def test_an_answer_that_was_there_before_the_connection_broke_is_the_answer(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, theirs = ends

    def refuse() -> None:
        with contextlib.suppress(OSError):
            theirs.sendall(EARLY)
            theirs.close()

    assert post(connection, Endless(refuse)).status == 413


class Breaking:
    """Our end, on which the first piece of a body cannot be written any more."""

    def __init__(self, sock: socket.socket, before: Callable[[], None]) -> None:
        self._sock = sock
        self._before = before
        self._sent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def send(self, data: bytes) -> int:
        self._sent += 1

        if self._sent == 1:
            return self._sock.send(data)

        self._before()
        raise BrokenPipeError


@pytest.mark.parametrize("answer", [EARLY, b""], ids=["answer", "none"])
def test_an_answer_is_looked_for_where_a_write_fails(answer: bytes) -> None:
    """It may have come just after the last look, and the connection have closed behind it."""
    ours, theirs = socket.socketpair()

    def close() -> None:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)

    with theirs, contextlib.closing(ours):
        connection = Connection(cast(socket.socket, Breaking(ours, close)), time.monotonic())

        if answer:
            assert post(connection, Endless()).status == 413
        else:
            with pytest.raises(UpstreamBroken):
                post(connection, Endless())


def test_a_head_that_cannot_be_written_says_that_nothing_was_sent(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, theirs = ends
    reset(theirs)

    with pytest.raises(UpstreamBroken) as raised:
        get(connection)

    assert raised.value.nothing_sent


def test_an_end_before_any_request_breaks_the_connection(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, theirs = ends
    theirs.close()

    with pytest.raises(UpstreamBroken):
        connection.on_readable()


def test_an_upstream_that_resets_during_the_upload_broke_it(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, theirs = ends

    with pytest.raises(UpstreamBroken) as raised:
        post(connection, Endless(lambda: reset(theirs)))

    assert not raised.value.answer_begun
    assert not raised.value.nothing_sent


def test_a_connection_that_was_reset_is_not_silent(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, theirs = ends
    assert connection.is_silent()
    reset(theirs)

    assert not connection.is_silent()


def test_an_upstream_that_closes_without_an_answer_broke_it(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, theirs = ends
    theirs.shutdown(socket.SHUT_WR)

    with pytest.raises(UpstreamBroken) as raised:
        get(connection)

    assert not raised.value.answer_begun


@pytest.mark.parametrize(
    "fields",
    [
        b"".join(b"X-%d: %s\r\n" % (number, b"x" * 4000) for number in range(9)),
        b"".join(b"X-%d: x\r\n" % number for number in range(MOST_FIELDS + 1)),
    ],
    ids=["size", "number"],
)
def test_a_head_is_bounded_though_it_comes_at_once(
    ends: tuple[Connection, socket.socket], fields: bytes
) -> None:
    connection, theirs = ends
    assert len(fields) > LARGEST_HEAD or fields.count(b"\r\n") > MOST_FIELDS
    theirs.sendall(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 0\r\n\r\n")
    time.sleep(0.1)  # so that one read takes it all

    with pytest.raises(UpstreamBroken) as raised:
        get(connection)

    assert "too" in raised.value.detail


class Counting:
    """Our end, which notes each write."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.writes: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def send(self, data: bytes) -> int:
        self.writes.append(bytes(data))
        return self._sock.send(data)


@pytest.mark.parametrize(
    ("size", "together"), [(0, True), (1024, True), (SMALL, True), (SMALL + 1, False)]
)
def test_a_small_body_that_is_there_goes_out_with_the_head(size: int, *, together: bool) -> None:
    ours, theirs = socket.socketpair()

    with ours, theirs:
        theirs.sendall(EARLY)
        counting, content = Counting(ours), b"x" * size
        connection = Connection(cast(socket.socket, counting), time.monotonic())
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
        connection.exchange(head, CallerBody.of_bytes(content), Deadline(LIMITS, time.monotonic))

    # Of a larger one nothing goes out: the answer is there already.
    assert counting.writes == [head + content if together else head]


def test_a_connection_on_which_an_upload_was_cut_short_takes_no_other_request(
    ends: tuple[Connection, socket.socket],
) -> None:
    """The upstream would read the next one as the rest of the body."""
    connection, theirs = ends
    said = iter([EARLY])

    assert post(connection, Endless(lambda: theirs.sendall(next(said, b"")))).status == 413
    assert list(connection.pieces(Deadline(LIMITS, time.monotonic))) == []
    assert not connection.make_ready()


def test_a_body_of_many_small_chunks_lets_others_have_their_turn(
    ends: tuple[Connection, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, theirs = ends
    theirs.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    theirs.sendall(b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n")
    turns: list[float] = []
    monkeypatch.setattr("chatproxy.turns.time.sleep", turns.append)
    get(connection)

    assert b"".join(connection.pieces(Deadline(LIMITS, time.monotonic))) == b"x" * 5000
    assert len(turns) >= 4
