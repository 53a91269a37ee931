import re
from collections.abc import Callable, Iterator

import pytest

from benchmarks import staged
from benchmarks.processes import ROOT
from benchmarks.staged import Timing
from benchmarks.stages import BETWEEN, BUDGET, STAGES, resolved


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A clock that goes on when it is told to."""
    moments = [0]
    monkeypatch.setattr(staged, "clock", lambda: moments[0])

    def passing(nanoseconds: int) -> None:
        moments[0] += nanoseconds

    return passing


@pytest.mark.parametrize("name", [name for names in STAGES.values() for name in names])
def test_what_a_stage_times_is_there(name: str) -> None:
    _, _, function = resolved(name)
    assert callable(function)


def test_every_stage_has_its_budget_and_the_page_the_same() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    rows = re.findall(r"^\| ([a-zA-Z' ]+) \|.*\| ([0-9.]+) \|$", page, re.MULTILINE)

    assert list(BUDGET) == [*STAGES, BETWEEN]
    assert [(name, float(most)) for name, most in rows] == list(BUDGET.items())


def test_what_is_gone_is_named() -> None:
    with pytest.raises(LookupError, match=r"json:dumped is gone"):
        resolved("json:dumped")


def test_a_stage_does_not_have_the_time_of_those_within_it(passes: Callable[[int], None]) -> None:
    cells = [0] * 5
    timing = Timing(cells)
    inner = timing.around(1, lambda: passes(30))

    def whole() -> None:
        passes(10)
        inner()
        inner()
        passes(5)

    timing.around(0, whole)()
    assert cells[:4] == [15, 1, 60, 2]


def test_what_timing_takes_is_nobodys(passes: Callable[[int], None]) -> None:
    cells = [0] * 5
    timing = Timing(cells)
    timing.inside, timing.outside = 2, 3
    inner = timing.around(1, lambda: passes(30))

    def whole() -> None:
        passes(12)  # of which it is 2 that the reading of the clock took
        inner()
        passes(3)  # what was around the inner one

    timing.around(0, whole)()
    assert cells[:4] == [10, 1, 28, 1]


def test_a_stage_that_fails_is_counted(passes: Callable[[int], None]) -> None:
    cells = [0] * 3
    timing = Timing(cells)

    def fails() -> None:
        passes(7)
        raise ValueError("told")

    with pytest.raises(ValueError, match="told"):
        timing.around(0, fails)()

    assert cells[:2] == [7, 1]


def test_a_generator_has_the_time_of_its_steps(passes: Callable[[int], None]) -> None:
    cells = [0] * 3

    def pieces() -> Iterator[bytes]:
        passes(4)
        yield b"a"
        passes(5)
        yield b"b"

    timed = Timing(cells).around(0, pieces)
    found = []

    for piece in timed():
        passes(100)
        found.append(piece)

    assert found == [b"a", b"b"]
    assert cells[0] == 9
