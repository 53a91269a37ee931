"""Lines of requests wait for the end of a turn of the loop: none is lost, and none is overtaken."""

import contextlib
import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from select import PIPE_BUF
from typing import Any

import pytest

from chatproxy.logs.handler import LineHandler
from chatproxy.logs.json_lines import JsonFormatter
from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import ask, get


class Pipe:
    """A log that goes into a pipe, and whose turns end when a test says so."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        os.set_blocking(self.reading, False)
        self.stream = os.fdopen(writing, "w")
        self.handler = LineHandler(self.stream)
        self.handler.setFormatter(JsonFormatter())
        self.ends: list[Callable[[], None]] = []
        self.handler.later = self.ends.append

    def end_turn(self) -> None:
        for end in self.ends:
            end()

        self.ends.clear()

    def read(self) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in os.read(self.reading, 1024 * 1024).splitlines()]
        except BlockingIOError:
            return []


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    one = Pipe()
    yield one
    os.close(one.reading)
    one.stream.close()


def line(number: int, size: int = 0) -> str:
    return json.dumps({"n": number, "x": "x" * size})


def test_lines_wait_for_the_end_of_the_turn(pipe: Pipe) -> None:
    pipe.handler.write(line(1))
    pipe.handler.write(line(2))
    before = pipe.read()
    pipe.end_turn()

    assert before == []
    assert [one["n"] for one in pipe.read()] == [1, 2]


def test_each_turn_is_waited_for(pipe: Pipe) -> None:
    for number in (1, 2):
        pipe.handler.write(line(number))
        pipe.end_turn()

    assert [one["n"] for one in pipe.read()] == [1, 2]


def test_without_a_loop_nothing_waits(pipe: Pipe) -> None:
    pipe.handler.later = None
    pipe.handler.write(line(1))

    assert [one["n"] for one in pipe.read()] == [1]


def test_a_record_does_not_overtake(pipe: Pipe) -> None:
    pipe.handler.write(line(1))
    pipe.handler.handle(logging.makeLogRecord({"msg": "between", "n": 2}))
    pipe.handler.write(line(3))
    pipe.end_turn()

    assert [one["n"] for one in pipe.read()] == [1, 2, 3]


def test_the_end_of_the_process_waits_for_no_turn(pipe: Pipe) -> None:
    pipe.handler.write(line(1))
    logging.shutdown([lambda: pipe.handler])  # type: ignore[list-item]

    assert [one["n"] for one in pipe.read()] == [1]


@pytest.mark.parametrize("size", [100, 1300, 2040, 5000])
def test_no_write_is_more_than_a_pipe_takes_at_once(
    pipe: Pipe, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(pipe.stream, "write", written.append)

    for number in range(10):
        pipe.handler.write(line(number, size))

    pipe.end_turn()

    assert "".join(written) == "".join(f"{line(number, size)}\n" for number in range(10))
    assert all(len(one) <= PIPE_BUF or one.count("\n") == 1 for one in written)
    assert len(written) <= -(-10 * (size + 20) // PIPE_BUF) * 2 or size > PIPE_BUF


def test_lines_for_which_there_is_no_room_are_counted(pipe: Pipe) -> None:
    os.set_blocking(pipe.stream.fileno(), False)

    while pipe.handler._can_write():
        os.write(pipe.stream.fileno(), line(0, 4000).encode() + b"\n")

    for number in (1, 2, 3):
        pipe.handler.write(line(number))

    pipe.end_turn()
    os.read(pipe.reading, 1024 * 1024)
    pipe.handler.write(line(4))
    pipe.handler.write(line(5))
    pipe.end_turn()

    assert [(one["n"], one.get("droppedLines")) for one in pipe.read()] == [(4, 3), (5, None)]


def unread(pipe: Pipe, size: int) -> int:
    """Write lines that nobody reads, and return how many there are."""
    os.set_blocking(pipe.stream.fileno(), False)
    number = 0

    with contextlib.suppress(BlockingIOError):
        while True:
            written = os.write(pipe.stream.fileno(), line(0, size).encode() + b"\n")
            assert written > size
            number += 1

    return number


@pytest.mark.parametrize("size", [10, 2000, 2100, 4000])
@pytest.mark.parametrize("is_record", [False, True])
def test_a_line_of_several_pages_never_waits(pipe: Pipe, size: int, is_record: bool) -> None:
    """Where only a part of it had room, the worker would wait for whoever reads the log."""
    number = unread(pipe, size)
    freed = min(number, 5 * PIPE_BUF // (size + 20))

    for _ in range(freed):
        while os.read(pipe.reading, 1) != b"\n":
            pass

    for _ in range(10):
        if is_record:
            pipe.handler.handle(logging.makeLogRecord({"msg": "x" * 2 * PIPE_BUF}))
        else:
            pipe.handler.write(line(1, 2 * PIPE_BUF))
            pipe.end_turn()

    # It does not block in here, so that a line is cut where it would have waited otherwise.
    assert os.read(pipe.reading, 1024 * 1024).endswith(b"}\n")


@pytest.mark.parametrize("is_record", [False, True])
def test_a_line_of_several_pages_is_written_where_it_has_room(pipe: Pipe, is_record: bool) -> None:
    text = "x" * 5 * PIPE_BUF

    if is_record:
        pipe.handler.handle(logging.makeLogRecord({"msg": text}))
    else:
        pipe.handler.write(line(1, len(text)))
        pipe.end_turn()

    (one,) = pipe.read()
    assert text in one.values()


def test_a_record_counts_them_too(pipe: Pipe) -> None:
    os.set_blocking(pipe.stream.fileno(), False)

    while pipe.handler._can_write():
        os.write(pipe.stream.fileno(), line(0, 4000).encode() + b"\n")

    pipe.handler.write(line(1))
    pipe.end_turn()
    os.read(pipe.reading, 1024 * 1024)
    pipe.handler.handle(logging.makeLogRecord({"msg": "again"}))

    assert [(one["msg"], one["droppedLines"]) for one in pipe.read()] == [("again", 1)]


def test_a_closed_log_fails_nothing(pipe: Pipe) -> None:
    other = LineHandler(os.fdopen(os.dup(pipe.stream.fileno()), "w"))
    other.stream.close()
    other.write(line(1))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_worker_that_ends_has_written_all_its_lines(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], name: str
) -> None:
    with sidecar_before(upstream.url, LOG_LEVEL="info") as running:
        for number in range(20):
            ask(running.port, get(f"/nowhere-{number}"))

        running.process.send_signal(getattr(signal, name))
        running.process.wait(20)
        paths = [one["url"]["path"] for one in running.lines() if "url" in one]

    assert [one for one in paths if "nowhere" in one] == [f"/nowhere-{n}" for n in range(20)]
