"""Readiness asks for itself, and nobody waits long for it."""

import threading
import time

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.lookout import GOOD_FOR, WAITS, Lookout
from tests.stopwatch import Stopwatch

SOON = 30


def test_a_database_that_takes_its_time_is_asked_once_and_not_waited_for() -> None:
    asked: list[threading.Thread] = []
    released, elapsed = threading.Event(), Stopwatch()

    def ping() -> None:
        asked.append(threading.current_thread())
        released.wait(SOON)

    lookout = Lookout(ping, elapsed)
    begin = time.monotonic()

    for _ in range(3):
        lookout.look()
        elapsed.now += 2 * GOOD_FOR

    took = time.monotonic() - begin
    released.set()
    asked[0].join(SOON)
    assert len(asked) == 1
    assert took < 3 * WAITS + 10


def test_an_answer_is_good_for_a_while() -> None:
    asked: list[float] = []
    elapsed = Stopwatch()

    def ping() -> None:
        asked.append(elapsed.now)
        raise DirectoryUnavailable(detail="away")

    lookout = Lookout(ping, elapsed)
    begin = elapsed.now

    for _ in range(4):
        lookout.look()
        elapsed.now += GOOD_FOR / 2

    assert asked == [begin, begin + GOOD_FOR]
