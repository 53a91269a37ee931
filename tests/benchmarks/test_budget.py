import pytest

from benchmarks import budget
from benchmarks.budget import ALONE, BOUNDS, FIVE, GET, over

KEPT = dict(BOUNDS)


def test_what_is_at_its_bound_is_kept() -> None:
    assert over(KEPT) == []


@pytest.mark.parametrize("name", [GET, ALONE, FIVE])
def test_what_is_above_its_bound_is_told(name: str) -> None:
    [line] = over(KEPT | {name: BOUNDS[name] * 1.1})
    assert line.startswith(f"{name}: ")


def test_what_is_no_number_is_not_kept() -> None:
    assert over({GET: float("nan")})


def measured(monkeypatch: pytest.MonkeyPatch, *ratios: float, idle: float = 1.0) -> None:
    values = iter(ratios)
    monkeypatch.setattr(budget, "of_plain", lambda _: next(values))
    monkeypatch.setattr(budget, "idle", lambda _: iter({ALONE: idle, FIVE: idle}.items()))


def test_a_bad_ratio_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, BOUNDS[GET] + 0.1, BOUNDS[GET] + 0.2)

    with pytest.raises(SystemExit, match=r"lean path is lost(?s:.*)a forwarded GET"):
        budget.main()


def test_a_bad_ratio_is_measured_again_before_it_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured(monkeypatch, BOUNDS[GET] + 0.1, BOUNDS[GET] - 0.1)
    budget.main()


def test_memory_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, 0.1, idle=BOUNDS[FIVE] + 1)

    with pytest.raises(SystemExit, match=FIVE):
        budget.main()
