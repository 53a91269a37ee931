"""What a caller is told of the limit."""

from collections.abc import Callable

import pytest

from chatproxy.errors import TooManyRequests
from chatproxy.formats.rates import Rate
from chatproxy.limiting import memory
from chatproxy.limiting.limiter import Limiter, key_of
from tests.stopwatch import Stopwatch

THREE = Rate.read("3 per minute")
MESSAGE = "Too many. Try again later."


@pytest.fixture
def limiter(limiter_with: Callable[..., Limiter]) -> Limiter:
    return limiter_with()


def test_what_remains_counts_down_to_0_and_stays_there(limiter: Limiter) -> None:
    counts = [limiter.hit("a", THREE) for _ in range(5)]

    assert [count.remaining for count in counts] == [2, 1, 0, 0, 0]
    assert [count.allowed for count in counts] == [True, True, True, False, False]


@pytest.mark.parametrize("second", [0.0, 0.1, 20.5, 59.0])
def test_the_reset_is_when_a_call_fits_again(
    limiter: Limiter, clock: Stopwatch, second: float
) -> None:
    clock.now = 1000.3
    limiter.hit("a", THREE)
    clock.now += second
    reset = [limiter.hit("a", THREE) for _ in range(3)][-1].reset
    free = 1060.3

    clock.now = free - 0.001
    assert not limiter.hit("a", THREE).allowed
    clock.now = 1000.3 + second + reset
    assert limiter.hit("a", THREE).allowed
    assert 0 <= clock.now - free < 1


def test_a_call_that_is_let_in_carries_the_limit_and_no_retry_after(limiter: Limiter) -> None:
    assert limiter.spend("a", THREE, MESSAGE).headers() == {
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": "2",
        "X-RateLimit-Reset": "60",
    }


def test_a_refused_call_says_when_to_come_again(limiter: Limiter, clock: Stopwatch) -> None:
    for _ in range(3):
        limiter.spend("a", THREE, MESSAGE)

    clock.now = 12.5

    with pytest.raises(TooManyRequests) as refused:
        limiter.spend("a", THREE, MESSAGE)

    assert refused.value.message == MESSAGE
    assert refused.value.headers == {
        "Retry-After": "48",
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "48",
    }


def test_each_subject_has_a_count_for_each_rate(limiter: Limiter) -> None:
    other = Rate.read("3 per hour")
    limiter.hit("a", THREE)

    assert limiter.hit("b", THREE).remaining == 2
    assert limiter.hit("a", other).remaining == 2
    assert limiter.hit("a", THREE).remaining == 1


@pytest.mark.parametrize(
    "subject", ["", "آدا", "艾達" * 10_000, "a\nb\0c", "\ud800", "ADA"], ids=ascii
)
def test_any_text_is_a_subject_of_its_own(limiter: Limiter, subject: str) -> None:
    limiter.hit("ada", THREE)

    assert limiter.hit(subject, THREE).remaining == 2
    assert limiter.hit(subject, THREE).remaining == 1
    assert len(key_of(subject, THREE)) == 16


def test_without_redis_there_is_nothing_to_look_at(limiter: Limiter) -> None:
    limiter.ping()

    assert limiter.fault == ""


def test_very_many_of_one_rate_leave_the_counts_of_another_alone(
    monkeypatch: pytest.MonkeyPatch, limiter: Limiter
) -> None:
    monkeypatch.setattr(memory, "MOST_SUBJECTS", 5)
    other = Rate.read("3 per 5 minutes")
    limiter.hit("a", THREE)

    for number in range(10):
        limiter.hit(f"junk {number}", other)

    assert limiter.hit("a", THREE).remaining == 1


def test_a_call_that_is_given_back_may_be_made_again(limiter: Limiter) -> None:
    limiter.hit("a", THREE)
    limiter.give_back("a", THREE)
    limiter.give_back("never counted", THREE)

    assert [limiter.hit("a", THREE).remaining for _ in range(3)] == [2, 1, 0]


def test_a_flood_of_made_up_subjects_makes_nobody_elses_count_disappear(
    limiter_with: Callable[..., Limiter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where both limits are the same."""
    monkeypatch.setattr("chatproxy.limiting.memory.MOST_SUBJECTS", 10)
    limiter = limiter_with()
    limiter.hit("ada", THREE)

    for number in range(20):
        limiter.hit(f"token {number}", THREE, made_up=True)

    assert limiter.hit("ada", THREE).remaining == 1
