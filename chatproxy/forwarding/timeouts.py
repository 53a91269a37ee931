"""Time limits of a call, and the deadline that counts them down."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

from chatproxy.errors import CallerLeft, UpstreamTimeout

#: Seconds between two checks, while waiting, that the caller is still there. Each one costs several
#: system calls, and half a second more goes unnoticed.
CHECK_CALLER_EVERY = 0.5


class Caller(Protocol):
    """The one who waits for the answer."""

    def has_left(self) -> bool:
        """Say whether the caller has certainly closed its connection."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds and the body limit in bytes; see the settings."""

    connect: float
    read: float
    total: float
    body_idle: float
    body_total: float
    body_bytes: int

    def for_a_short_answer(self) -> "Limits":
        """Return the limits for a call of the sidecar's own.

        Somebody else's request waits for it, so its body has the tighter limits of a head.
        """
        return dataclasses.replace(self, body_idle=self.read, body_total=self.total)


class Deadline:
    """The clock of one call, which starts when this is made.

    `check_every` are the seconds between two checks that the caller is still there.
    """

    # A total limit is needed beside the one on each read, which starts anew with every byte.

    def __init__(
        self,
        limits: Limits,
        monotonic: Callable[[], float],
        caller: Caller | None = None,
        *,
        check_every: float = CHECK_CALLER_EVERY,
    ) -> None:
        self.check_every = check_every
        self.limits = limits
        self.monotonic = monotonic
        self._caller = caller
        self._until = monotonic() + limits.total

    def extend(self, seconds: float) -> None:
        """Move the total limit by the time of an upload, which has limits of its own."""
        self._until += seconds

    def start_body(self) -> None:
        """Switch from the total limit of the head to that of the answer's body."""
        self._until = self.monotonic() + self.limits.body_total

    def remaining(self, *, at_most: float) -> float:
        """Return the seconds left, at most `at_most`; raise `UpstreamTimeout` if there are none."""
        remaining = min(self._until - self.monotonic(), at_most)

        if remaining <= 0:
            raise UpstreamTimeout("The chat provider did not answer in time.")

        return remaining

    def check_caller(self) -> None:
        """Raise `CallerLeft` if nobody is waiting any more."""
        if self._caller is not None and self._caller.has_left():
            raise CallerLeft("The caller closed its connection.")
