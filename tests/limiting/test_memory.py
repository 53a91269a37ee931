"""The counters of one process: exact, sliding, bounded."""

import threading
import time
import tracemalloc
from collections.abc import Callable

import pytest

from chatproxy.formats.rates import Rate
from chatproxy.limiting.memory import CHECKED_PER_CALL, MOST_SUBJECTS, Memory
from tests.stopwatch import Stopwatch

TEN = Rate.read("10 per 15 minutes")


def fill(
    memory: Memory, subjects: int, calls: int = 1, key: Callable[[bytes], bytes] = bytes
) -> None:
    for _ in range(calls):
        for number in range(subjects):
            memory.hit(key(number.to_bytes(16, "big")), TEN)


class Counted(bytes):
    """A key that counts how often any of its kind is looked up."""

    lookups = 0

    def __hash__(self) -> int:
        Counted.lookups += 1
        return super().__hash__()


def lookups(memory: Memory, key: bytes) -> int:
    """How many look-ups one call takes, of its own key and of others that it passes by."""
    before = Counted.lookups
    memory.hit(key, TEN)
    return Counted.lookups - before


def test_of_n_and_50_calls_at_once_n_are_counted(clock: Stopwatch) -> None:
    memory, allowed = Memory(clock), []
    rate = Rate.read("30 per minute")
    started = threading.Barrier(8)

    def calls() -> None:
        started.wait()
        allowed.extend(memory.hit(b"a", rate)[0] for _ in range(10))

    threads = [threading.Thread(target=calls) for _ in range(8)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    assert (len(allowed), sum(allowed)) == (80, 30)


def test_nobody_else_counts_between_a_look_at_the_clock_and_the_count() -> None:
    """Else two threads could write their moments in the wrong order, or both the last one."""
    waited: list[bool] = []

    def clock() -> float:
        if not waited:
            waited.append(True)
            other = threading.Thread(target=memory.hit, args=(b"a", TEN), daemon=True)
            other.start()
            other.join(0.2)
            waited[0] = other.is_alive()

        return 0.0

    memory = Memory(clock)
    memory.hit(b"a", TEN)

    assert waited == [True]


def test_across_a_border_no_more_than_n_fit_in_a_window(clock: Stopwatch) -> None:
    """A window that begins anew each minute would let 2 n through within two seconds."""
    memory, rate = Memory(clock), Rate.read("10 per minute")
    clock.now = 59.0
    before = sum(memory.hit(b"a", rate)[0] for _ in range(15))
    clock.now = 61.0
    after = sum(memory.hit(b"a", rate)[0] for _ in range(15))

    assert (before, after) == (10, 0)


def test_each_call_makes_room_when_it_leaves_and_not_before(clock: Stopwatch) -> None:
    memory, rate = Memory(clock), Rate.read("2 per minute")
    counted = []

    for clock.now in (0.0, 30.0, 59.999, 60.0, 60.0, 89.999, 90.0, 90.0):  # noqa: B007
        counted.append(memory.hit(b"a", rate)[0])

    assert counted == [True, True, False, True, False, False, True, False]


def test_the_wait_is_told_to_the_microsecond(clock: Stopwatch) -> None:
    """Floats would make 900.0000000001 seconds of it, and 901 when rounded up."""
    waits = set()

    for clock.now in (0.1, 945.7361, 123_456.789, 31_536_000.123456):  # noqa: B007
        waits.add(Memory(clock).hit(b"a", TEN)[2])

    assert waits == {900_000_000}


@pytest.mark.parametrize("step", [-3600, 3600])
def test_the_wall_clock_does_not_matter(
    clock: Stopwatch, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    memory, real = Memory(clock), time.time
    spent = [memory.hit(b"a", TEN)[0] for _ in range(11)]
    monkeypatch.setattr(time, "time", lambda: real() + step)
    at_once = memory.hit(b"a", TEN)
    clock.now = 900.0

    assert spent == [True] * 10 + [False]
    assert at_once == (False, 0, 900_000_000)
    assert memory.hit(b"a", TEN)[0]


def test_100_000_users_take_less_than_30_megabytes(clock: Stopwatch) -> None:
    tracemalloc.start()

    try:
        memory = Memory(clock)
        fill(memory, 100_000, calls=3)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(memory) == 100_000
    assert taken < 30_000_000


def test_above_the_bound_the_one_not_asked_about_for_longest_is_forgotten(
    clock: Stopwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatproxy.limiting.memory.MOST_SUBJECTS", 3)
    memory, once = Memory(clock), Rate.read("1 per minute")

    for key in (b"a", b"b", b"c"):
        memory.hit(key, once)

    refused = memory.hit(b"a", once)[0]
    memory.hit(b"d", once)

    assert len(memory) == 3
    assert not refused
    assert not memory.hit(b"a", once)[0]
    assert memory.hit(b"b", once)[0]


def test_a_call_looks_at_as_many_subjects_among_100_000_as_among_100(clock: Stopwatch) -> None:
    few, many = Memory(clock), Memory(clock)
    fill(few, 100, key=Counted)
    fill(many, MOST_SUBJECTS, key=Counted)
    key = Counted(bytes(16))

    known = [lookups(memory, key) for memory in (few, many)]
    clock.now = 900.0
    emptied = [lookups(memory, key) for memory in (few, many)]

    assert known[0] == known[1] < 10
    assert emptied[0] == emptied[1] < 20


def test_who_has_no_call_left_is_dropped_a_few_at_each_call_without_a_timer(
    clock: Stopwatch,
) -> None:
    memory, threads = Memory(clock), threading.active_count()
    fill(memory, 1000)
    clock.now = 900.0
    memory.hit(b"a", TEN)
    after_one = len(memory)

    for _ in range(1000 // CHECKED_PER_CALL):
        memory.hit(b"a", TEN)

    assert after_one == 1001 - CHECKED_PER_CALL
    assert len(memory) == 1
    assert threading.active_count() == threads
