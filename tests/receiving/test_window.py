"""Who may deliver an event: in memory of many processes, and in Redis."""

import multiprocessing
import os
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from chatproxy.errors import TooMuchHeld
from chatproxy.receiving.memory import Block, Memory
from chatproxy.receiving.shared import PREFIX, SharedWindow
from chatproxy.receiving.window import (
    NOBODY,
    Bounds,
    Delivered,
    Failed,
    Mine,
    Theirs,
    Window,
)
from tests.sidecar import free_port
from tests.stopwatch import Stopwatch

BOUNDS = Bounds(most=50, seconds=3600, lease=7)
FORK = multiprocessing.get_context("fork")


def key() -> bytes:
    return uuid.uuid4().bytes


def claimed(window: Window, name: bytes) -> bytes:
    found = window.claim(name, NOBODY)
    assert isinstance(found, Mine)
    return found.token


def in_memory(clock: Stopwatch, bounds: Bounds = BOUNDS) -> Memory:
    return Memory(Block(bounds.most), bounds, clock)


@pytest.fixture(params=["memory", "redis", "redis away"])
def window(request: pytest.FixtureRequest, clock: Stopwatch) -> Iterator[Window]:
    if request.param == "memory":
        yield in_memory(clock)
        return

    url = f"redis://127.0.0.1:{free_port()}/0"

    if request.param == "redis" and not (url := os.environ.get("TEST_REDIS_URL", "")):
        pytest.skip("TEST_REDIS_URL is not set: such as redis://127.0.0.1:6379/0")

    made = SharedWindow(url, in_memory(clock), BOUNDS, clock)
    yield made
    made.close()


def test_one_delivers_and_the_others_hear_of_it(window: Window) -> None:
    name = key()
    token = claimed(window, name)

    assert window.claim(name, NOBODY) == window.claim(name, token) == Theirs(token)
    assert window.end(name, token, 204, taken=True)
    assert window.claim(name, token) == window.claim(name, NOBODY) == Delivered(204)
    assert isinstance(window.claim(key(), NOBODY), Mine)


def test_a_failure_is_told_to_those_who_waited_for_it(window: Window) -> None:
    name = key()
    token = claimed(window, name)

    assert window.end(name, token, 503, taken=False)
    assert window.claim(name, token) == window.claim(name, token) == Failed(503)
    second = claimed(window, name)
    # Who has waited for the first waits for the second, which is under way.
    assert window.claim(name, token) == Theirs(second)


def test_who_has_lost_a_delivery_cannot_end_it(window: Window) -> None:
    name = key()
    first = claimed(window, name)
    window.end(name, first, 500, taken=False)
    second = claimed(window, name)

    assert not window.end(name, first, 200, taken=True)
    assert window.claim(name, NOBODY) == Theirs(second)
    assert window.end(name, second, 200, taken=True)
    assert not window.end(name, second, 500, taken=False)
    assert not window.end(key(), second, 200, taken=True)


def test_a_holder_that_takes_too_long_loses_it(clock: Stopwatch) -> None:
    window, name = in_memory(clock), key()
    first = claimed(window, name)
    clock.now += BOUNDS.lease - 0.1
    assert window.claim(name, NOBODY) == Theirs(first)
    clock.now += 0.2

    assert claimed(window, name) != first
    assert not window.end(name, first, 200, taken=True)


def test_what_was_delivered_is_forgotten_after_its_time(clock: Stopwatch) -> None:
    window, name = in_memory(clock), key()
    window.end(name, claimed(window, name), 200, taken=True)
    clock.now += BOUNDS.seconds - 1
    assert window.claim(name, NOBODY) == Delivered(200)
    clock.now += 2

    assert isinstance(window.claim(name, NOBODY), Mine)


def test_the_oldest_make_room_and_none_that_is_under_way(clock: Stopwatch) -> None:
    window, held, names = in_memory(clock), key(), [key() for _ in range(BOUNDS.most + 9)]
    token = claimed(window, held)

    for name in names:
        window.end(name, claimed(window, name), 200, taken=True)

    kept = [isinstance(window.claim(name, NOBODY), Delivered) for name in names[::-1]]
    assert kept.index(False) == BOUNDS.most - 1
    assert window.end(held, token, 200, taken=True)


def test_where_all_are_under_way_one_more_is_refused(clock: Stopwatch) -> None:
    """Else one of them would be forgotten, and delivered twice."""
    window, names = in_memory(clock), [key() for _ in range(BOUNDS.most)]
    tokens = [claimed(window, name) for name in names]

    with pytest.raises(TooMuchHeld):
        window.claim(key(), NOBODY)

    assert [window.claim(name, NOBODY) for name in names] == list(map(Theirs, tokens))
    window.end(names[7], tokens[7], 500, taken=False)
    assert isinstance(window.claim(key(), NOBODY), Mine)


def forked(count: int, work: Callable[[], object]) -> list[Any]:
    """Run it in so many processes forked from this; return what each found."""
    results = FORK.SimpleQueue()
    children = [FORK.Process(target=lambda: results.put(work())) for _ in range(count)]

    for child in children:
        child.start()

    found = [results.get() for _ in children]

    for child in children:
        child.join()

    return found


def test_of_many_processes_one_gets_each_event(clock: Stopwatch) -> None:
    block, names = Block(500), [key() for _ in range(400)]
    bounds, ready = Bounds(500, 3600, 3600), FORK.Barrier(4)

    def work() -> list[bool]:
        window = Memory(block, bounds, clock)
        mine = []
        ready.wait(60)

        for name in names:
            found = window.claim(name, NOBODY)
            mine.append(isinstance(found, Mine))

            if isinstance(found, Mine):
                window.end(name, found.token, 200, taken=True)

        return mine

    found = forked(4, work)
    assert Counter(map(sum, zip(*found, strict=True))) == {1: len(names)}


def test_what_a_dead_process_held_is_free_at_once(clock: Stopwatch) -> None:
    block, name = Block(5), key()
    window = Memory(block, BOUNDS, clock)
    (token,) = forked(1, lambda: claimed(Memory(block, BOUNDS, clock), name))

    assert claimed(window, name) != token


def test_a_process_that_is_killed_with_the_lock_does_not_keep_it(clock: Stopwatch) -> None:
    block = Block(5)
    window, entered, stays = Memory(block, BOUNDS, clock), FORK.Event(), FORK.Event()

    def hold() -> None:
        with Memory(block, BOUNDS, clock)._locked():
            entered.set()
            stays.wait(60)

    child = FORK.Process(target=hold)
    child.start()
    assert entered.wait(20)

    with pytest.raises(TooMuchHeld):
        window.claim(key(), NOBODY)

    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert isinstance(window.claim(key(), NOBODY), Mine)


def test_redis_keeps_the_newest_for_their_time(
    clock: Stopwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (url := os.environ.get("TEST_REDIS_URL", "")):
        pytest.skip("TEST_REDIS_URL is not set: such as redis://127.0.0.1:6379/0")

    # Other tests write into the order meanwhile, and with fewer places here would lose theirs.
    order = f"chatproxy:webhooks:{uuid.uuid4().hex}"
    monkeypatch.setattr("chatproxy.receiving.shared.ORDER", order)
    bounds = Bounds(most=5, seconds=50, lease=7)
    made = SharedWindow(url, in_memory(clock), bounds, clock)
    other = SharedWindow(url, in_memory(clock), bounds, clock)
    names = [key() for _ in range(8)]

    with redis.Redis.from_url(url) as client:
        for name in names:
            token = claimed(made, name)
            assert 6000 < client.pttl(PREFIX + name.hex()) <= 7000
            # Another replica sees the same.
            assert other.claim(name, NOBODY) == Theirs(token)
            made.end(name, token, 200, taken=True)
            assert 49_000 < client.pttl(PREFIX + name.hex()) <= 50_000

        kept = [client.exists(PREFIX + name.hex()) for name in names]
        assert kept == [0, 0, 0, 1, 1, 1, 1, 1]
        assert client.zcard(order) == 5
        client.delete(order)

    made.close()
    other.close()


def test_what_was_claimed_in_redis_stays_there_while_it_is_away(clock: Stopwatch) -> None:
    """A delivery that ends meanwhile is lost to the window, and its lease ends it."""
    memory = in_memory(clock)
    made = SharedWindow(f"redis://127.0.0.1:{free_port()}/0", memory, BOUNDS, clock)
    assert not made.end(key(), key(), 200, taken=True)
    name = key()
    token = claimed(made, name)
    assert memory.claim(name, NOBODY) == Theirs(token)
    assert made.fault
    made.close()
