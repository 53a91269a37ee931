"""The callers that everything is measured with: what they take for an answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from benchmarks.closed import PIECE, closed, timed
from benchmarks.request import Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndone\r\n0\r\n\r\n"
GET = Request("/")


class Scripted:
    """Answers each request with the same pieces, and keeps what it was asked."""

    def __init__(self, pieces: tuple[bytes, ...], *, closes: bool) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._pieces = pieces
        self._closes = closes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return

            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while (request := self._read(connection)) is not None:
                self.requests.append(request)

                for piece in self._pieces:
                    connection.sendall(piece)

                if self._closes:
                    return

    def _read(self, connection: socket.socket) -> bytes | None:
        data = b""

        while b"\r\n\r\n" not in data:
            if not (piece := connection.recv(65536)):
                return None

            data += piece

        head, _, body = data.partition(b"\r\n\r\n")
        _, found, rest = head.partition(b"Content-Length: ")
        length = int(rest.partition(b"\r\n")[0]) if found else 0

        while len(body) < length:
            body += connection.recv(65536)

        return head + b"\r\n\r\n" + body

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


Serving = Callable[..., Any]


@pytest.fixture
def answering() -> Iterator[Serving]:
    made: list[Scripted] = []

    @contextmanager
    def serving(*pieces: bytes, closes: bool = False) -> Iterator[Scripted]:
        one = Scripted(pieces, closes=closes)
        made.append(one)
        threading.Thread(target=one.serve, daemon=True).start()
        yield one

    yield serving

    for one in made:
        one.close()


@pytest.mark.parametrize(
    "pieces",
    [(OK,), (OK[:20], OK[20:]), (OK[:-2], OK[-2:]), (CHUNKED,), (CHUNKED[:-3], CHUNKED[-3:])],
    ids=["at once", "in the head", "in the body", "in chunks", "in the last chunk"],
)
def test_every_answer_is_taken(answering: Serving, pieces: tuple[bytes, ...]) -> None:
    with answering(*pieces) as server:
        seen = closed(server.port, GET, 3, 20)

    assert (len(seen["times"]), seen["failed"], seen["requests"]) == (20, 0, 20)
    assert server.connections == 3


def test_a_connection_that_is_told_to_end_is_not_used_again(answering: Serving) -> None:
    last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    with answering(last, closes=True) as server:
        seen = closed(server.port, GET, 1, 5)

    assert (len(seen["times"]), server.connections) == (5, 5)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (OK.replace(b"200", b"502"), "502"),
        (OK + b"more", "more than an answer"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "an answer without length"),
        (OK[:-1], "no answer"),
        (b"", "no answer"),
    ],
)
def test_what_is_no_answer_is_counted(answering: Serving, answer: bytes, reason: str) -> None:
    with answering(answer, closes=True) as server:
        seen = closed(server.port, GET, 1, 3)

    assert (seen["times"], seen["failures"]) == ([], {reason: 3})


def test_nobody_there_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert closed(port, GET, 2, 4)["failures"] == {"ConnectionRefusedError": 4}


def test_a_body_of_zeros_arrives_whole(answering: Serving) -> None:
    size = 3 * PIECE + 17

    with answering(OK) as server:
        seen = closed(server.port, Request("/", "POST", zeros=size), 1, 2)

    assert len(seen["times"]) == 2
    assert [one.partition(b"\r\n\r\n")[2] for one in server.requests] == [bytes(size)] * 2


def test_each_request_has_its_number(answering: Serving) -> None:
    with answering(OK) as server:
        closed(server.port, Request("/{number}", each=2, numbers=2), 1, 6)

    paths = [one.split()[1] for one in server.requests]
    assert paths == [b"/0", b"/0", b"/1", b"/1", b"/0", b"/0"]


def test_further_fields_are_sent(answering: Serving) -> None:
    with answering(OK) as server:
        closed(server.port, Request("/", fields=("Authorization: a",)), 1, 1)

    assert b"\r\nAuthorization: a\r\n" in server.requests[0]


def test_after_its_time_nothing_more_is_asked(answering: Serving) -> None:
    with answering(OK) as server:
        seen = timed(server.port, GET, 2, 0.0)

    assert (seen["requests"], server.requests) == (0, [])
