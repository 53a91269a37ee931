"""A message that breaks off is never taken for a whole one, wherever it breaks."""

import collections
import dataclasses
import random
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest

from tests.bulk.cutting import CuttingUpstream, coded_body, end
from tests.bulk.transfer import download
from tests.sidecar import Sidecar
from tests.upstream import Received, StreamUpstream
from tests.wire import answer_on, connected

pytestmark = pytest.mark.bulk

MESSAGES = 1_000
CALLERS = 16
LARGEST = 300_000
SEED = 20_261_120

LEAVERS = 40
SOON, LATEST = 1.0, 5.0


@dataclasses.dataclass(frozen=True)
class Cut:
    """A message, where it is cut and how. `at` counts bytes of the coded body."""

    number: int
    framing: str
    size: int
    at: int
    end: str
    pause: float
    caller: str = ""


def cuts(framings: list[str], ends: list[str], callers: list[str]) -> list[Cut]:
    """Plan all messages, the same in every run.

    Sizes spread over their magnitudes, and a quarter of the cuts falls into the last
    bytes, where a mistake would be.
    """
    dice = random.Random(SEED)
    planned = []

    for number in range(MESSAGES):
        framing = framings[number % len(framings)]
        size = round(LARGEST ** dice.random())
        length = len(coded_body(framing, size))
        first = max(0, length - 8) if dice.random() < 0.25 else 0
        planned.append(
            Cut(
                number=number,
                framing=framing,
                size=size,
                at=dice.randrange(first, length),
                end=dice.choice(ends),
                pause=dice.random() * 0.02,
                caller=dice.choice(callers),
            )
        )

    return planned


def test_no_upload_that_was_cut_is_taken_as_complete(
    sidecar_before: Callable[..., Sidecar], upstream: StreamUpstream
) -> None:
    planned = cuts(["sized", "chunked"], ["fin", "half-close", "reset"], [""])

    with sidecar_before(upstream.url) as fresh, ThreadPoolExecutor(CALLERS) as callers:
        statuses = list(callers.map(lambda cut: _upload_cut(fresh.port, cut), planned))
        arrived = _ended(upstream)
        lines = _lines(fresh)

    print(f"answers to {MESSAGES} cut uploads: {collections.Counter(statuses)}")
    print(f"in the log: {collections.Counter(lines)}")
    assert [entry.target for entry in arrived if entry.complete or entry.status] == []
    assert set(statuses) == {None, 400}
    assert [status for status in lines if not 400 <= status < 500] == []
    # The witness saw what it was to judge: the heads came, and parts of the bodies.
    assert len(arrived) == len(lines) == MESSAGES
    assert sum(entry.body_size > 0 for entry in arrived) > MESSAGES / 2


@pytest.fixture(scope="module")
def cutting() -> Iterator[CuttingUpstream]:
    with CuttingUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def before_cutting(
    sidecar_before: Callable[..., Sidecar], cutting: CuttingUpstream
) -> Iterator[Sidecar]:
    with sidecar_before(cutting.url) as running:
        yield running


def test_no_download_that_was_cut_is_seen_as_complete(
    before_cutting: Sidecar, cutting: CuttingUpstream
) -> None:
    planned = cuts(["sized", "chunked"], ["fin", "reset"], ["1.1", "1.1 close", "1.0"])
    before = cutting.requests

    with ThreadPoolExecutor(CALLERS) as callers:
        seen = list(callers.map(lambda cut: _download_cut(before_cutting.port, cut), planned))

    _assert_each_is_seen_as_cut(planned, seen)
    assert cutting.requests - before == MESSAGES


def test_no_download_without_framing_that_was_reset_is_seen_as_complete(
    before_cutting: Sidecar,
) -> None:
    planned = cuts(["until-close"], ["reset"], ["1.1", "1.1 close", "1.0"])[: MESSAGES // 4]

    with ThreadPoolExecutor(CALLERS) as callers:
        seen = list(callers.map(lambda cut: _download_cut(before_cutting.port, cut), planned))

    _assert_each_is_seen_as_cut(planned, seen)


@pytest.mark.parametrize("how", ["fin", "reset"])
@pytest.mark.parametrize("mode", ["head", "silent", "endless"])
def test_the_provider_is_let_go_soon_after_a_caller_left(
    before_cutting: Sidecar, cutting: CuttingUpstream, mode: str, how: str
) -> None:
    def leave(number: int) -> float:
        name = f"{mode}-{how}-{number}"
        left = _leave(before_cutting.port, f"/proxy/leave?mode={mode}&number={name}", mode, how)
        return cutting.left_at(name, LATEST) - left

    with ThreadPoolExecutor(CALLERS) as callers:
        times = sorted(callers.map(leave, range(LEAVERS)))

    print(f"{mode}, {how}: let go after {median(times):.3f} s (median), {times[-1]:.3f} s at most")
    assert median(times) <= SOON


def _upload_cut(port: int, cut: Cut) -> int | None:
    """Send a part of an upload; return the status of the answer where one was awaited."""
    framing = (
        f"Content-Length: {cut.size}" if cut.framing == "sized" else "Transfer-Encoding: chunked"
    )
    head = (
        f"POST /proxy/_sandbox/echo?cut={cut.number} HTTP/1.1\r\nHost: [::1]\r\n{framing}\r\n\r\n"
    )

    with connected(port) as sock:
        sock.sendall(head.encode() + coded_body(cut.framing, cut.size)[: cut.at])
        time.sleep(cut.pause)

        if cut.end != "half-close":
            end(sock, cut.end)
            return None

        sock.shutdown(socket.SHUT_WR)

        try:
            return answer_on(sock, "POST").status
        except ConnectionError:
            return None


def _ended(upstream: StreamUpstream) -> list[Received]:
    """Return what arrived, once none of it is under way any more."""
    until = time.monotonic() + 10

    while time.monotonic() < until:
        arrived = upstream.journal.snapshot()

        if len(arrived) >= MESSAGES and all(entry.ended.is_set() for entry in arrived):
            break

        time.sleep(0.05)

    return upstream.journal.snapshot()


def _lines(sidecar: Sidecar) -> list[int]:
    """Return the statuses in the access lines, once all are written."""
    until = time.monotonic() + 10

    while len(lines := sidecar.completed()) < MESSAGES and time.monotonic() < until:
        time.sleep(0.2)

    return [line["http"]["response"]["statusCode"] for line in lines]


def _download_cut(port: int, cut: Cut) -> str:
    """Ask for an answer that breaks off; say what the caller saw of it."""
    target = f"/proxy/cut?framing={cut.framing}&size={cut.size}&at={cut.at}&end={cut.end}"
    version, _, close = cut.caller.partition(" ")
    lines = ["Connection: close"] if close else []

    try:
        got = download(port, target, *lines, version=version)
    except ConnectionError:
        return "no answer"

    if got.status == 502 and got.complete:
        return "502"

    if got.complete or got.status != 200:
        return f"taken as complete: {got}"

    return f"broken by {got.end}"


def _assert_each_is_seen_as_cut(planned: list[Cut], seen: list[str]) -> None:
    print(collections.Counter(zip((cut.caller for cut in planned), seen, strict=True)))
    pairs = list(zip(planned, seen, strict=True))
    assert [pair for pair in pairs if pair[1].startswith("taken")] == []
    # An answer to HTTP/1.0 may have no framing but its end, so that must be no clean one.
    old = [pair for pair in pairs if pair[0].caller == "1.0"]
    assert [pair for pair in old if pair[1] == "broken by fin"] == []
    assert any(outcome == "broken by reset" for _, outcome in old)


def _leave(port: int, target: str, mode: str, how: str) -> float:
    """Ask, read what comes unless it has no end, close; return when."""
    with connected(port) as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

        if mode == "head":
            time.sleep(0.2)
        else:
            received = b""

            while b"first" not in received:
                received += sock.recv(65536)

        end(sock, how)
        return time.monotonic()
