"""How often a page load asks what the sidecar depends on, and how long it waits."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatproxy.clock import Clock
from chatproxy.errors import UpstreamError
from chatproxy.metrics.segments import Segment
from chatproxy.metrics.series import count_in
from chatproxy.services import Part
from chatproxy.web.console import checks
from chatproxy.web.console.checks import FRESH, Checks
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.usefixtures("segment", "patient")


class World:
    """Some parts, and a clock that is moved."""

    def __init__(self, *parts: Part) -> None:
        self.parts = parts
        self.backends: dict[str, Any] = {}
        self.stopwatch = Stopwatch()
        self.stopwatch.now = 1000.0
        self.clock = Clock(self.stopwatch, time.monotonic)


class Asked:
    """Counts how often it is asked, and waits until it may answer."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.times = 0
        self.fault = fault
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self) -> None:
        self.times += 1
        assert self.may_answer.wait(20)

        if self.fault is not None:
            raise self.fault


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page waits longer here than a busy machine ever takes."""
    monkeypatch.setattr(checks, "PATIENCE", 30)


@pytest.fixture
def slow() -> Iterator[Asked]:
    """One that does not answer until the test ends."""
    asked = Asked()
    asked.may_answer.clear()
    yield asked
    asked.may_answer.set()


def looked(world: World) -> dict[str, Any]:
    return Checks(world).look()  # type: ignore[arg-type]


def test_an_answer_is_good_for_a_while() -> None:
    asked = Asked()
    world = World(Part("a", ping=asked), Part("without"))
    seen = Checks(world)  # type: ignore[arg-type]

    for _ in range(20):
        assert seen.look() == {"a": {"at": 1000.0, "fault": "", "said": ""}}

    assert asked.times == 1
    world.stopwatch.now += FRESH - 0.1
    seen.look()
    assert asked.times == 1
    world.stopwatch.now += 0.1
    assert seen.look()["a"]["at"] == 1000.0 + FRESH
    assert asked.times == 2


def test_the_workers_share_it(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(UpstreamError("answered 500."))
    world = World(Part("a", ping=asked))
    assert looked(world)["a"]["fault"] == "answered 500."
    other = Segment()
    count_in(other)
    monkeypatch.setattr(checks, "every_segment", lambda: [segment, other])

    assert looked(world)["a"]["fault"] == "answered 500."
    assert asked.times == 1


def test_a_clock_that_was_set_back_does_not_end_it() -> None:
    asked = Asked()
    world = World(Part("a", ping=asked))
    looked(world)
    world.stopwatch.now -= 5000
    looked(world)

    assert asked.times == 2


def test_many_who_look_at_once_ask_once() -> None:
    asked = Asked()
    seen = Checks(World(Part("a", ping=asked)))  # type: ignore[arg-type]
    found: list[Any] = []
    people = [threading.Thread(target=lambda: found.append(seen.look())) for _ in range(20)]

    for one in people:
        one.start()

    for one in people:
        one.join()

    assert (asked.times, len(found)) == (1, 20)
    assert all(one["a"]["fault"] == "" for one in found)


def test_a_slow_part_keeps_nobody_waiting(slow: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PATIENCE", 0.2)
    world = World(Part("slow", ping=slow), Part("b", ping=Asked()))
    seen = Checks(world)  # type: ignore[arg-type]
    began = time.monotonic()
    assert list(seen.look()) == ["b"]
    assert time.monotonic() - began < 5

    # It is not asked again as long as it has not answered, however late that is.
    world.stopwatch.now += 10 * FRESH
    seen.look()
    assert slow.times == 1
    slow.may_answer.set()
    assert _within(5, lambda: "slow" in seen.look())


def test_a_failure_of_ours_is_a_fault_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = World(Part("a", ping=Asked(ValueError("secret text"))))
    found = looked(world)

    assert found["a"]["fault"] == checks.FAILED
    assert "check-up failed" in caplog.text
    world.stopwatch.now += FRESH
    assert looked(world)["a"]["at"] == 1000.0 + FRESH


def _within(seconds: float, is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds

    while time.monotonic() < until:
        if is_so():
            return True

        time.sleep(0.02)

    return False
