"""One delivery for each event, however often and at how many workers it comes."""

import dataclasses
import time
from collections.abc import Callable
from typing import Literal

from chatproxy.errors import ChatproxyError, StillUnderWay
from chatproxy.receiving.window import (
    NOBODY,
    Delivered,
    Failed,
    Mine,
    Window,
)

#: Seconds between two looks at a delivery that is waited for: at first, and at most. Many wait for
#: one target that is slow, and their looks must not take the time of those who deliver.
PAUSE, LONGEST_PAUSE = 0.02, 0.4
GROWS = 1.5

#: What became of an event.
Became = Literal["delivered", "refused", "failed", "duplicate", "failed elsewhere"]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the target answered. `body` is None where only its status is known."""

    status: int
    content_type: str = ""
    body: bytes | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the target has taken the event."""
        return 200 <= self.status < 300


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of an event, and the answer of the delivery that decided it."""

    became: Became
    answer: Answer


def once(
    window: Window,
    key: bytes,
    deliver: Callable[[], Answer],
    *,
    within: float,
    monotonic: Callable[[], float],
) -> Outcome:
    """Deliver an event, or wait until somebody else has.

    Raises what `deliver` raises, and `StillUnderWay` if the wait takes longer than `within`.
    """
    until = monotonic() + within
    awaited, pause = NOBODY, PAUSE

    while True:
        found = window.claim(key, awaited)

        if isinstance(found, Mine):
            return _delivered(window, key, found.token, deliver)

        if isinstance(found, Delivered):
            return Outcome("duplicate", Answer(found.status))

        # Not tried again at once: a failed delivery has told each of its callers to come again,
        # and fifty of them would fall on a target that is down one after the other.
        if isinstance(found, Failed):
            return Outcome("failed elsewhere", Answer(found.status))

        if monotonic() >= until:
            raise StillUnderWay("Another delivery of this webhook is under way. Try again.")

        awaited = found.token
        time.sleep(min(pause, max(0.0, until - monotonic())))
        pause = min(pause * GROWS, LONGEST_PAUSE)


def _delivered(window: Window, key: bytes, token: bytes, deliver: Callable[[], Answer]) -> Outcome:
    status = ChatproxyError.status

    try:
        answer = deliver()
        status = answer.status
    except ChatproxyError as error:
        status = error.status
        raise
    finally:
        # Whatever ended it, a stop of the worker included: nothing must keep the next try out.
        window.end(key, token, status, taken=200 <= status < 300)

    if answer.is_taken:
        return Outcome("delivered", answer)

    return Outcome("failed" if answer.status >= 500 else "refused", answer)
