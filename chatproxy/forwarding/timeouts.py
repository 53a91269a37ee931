"""How long a forwarded call may take, and the clock that counts it down."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

from chatproxy.errors import CallerLeft, UpstreamTimeout

#: Seconds of waiting after which we look whether the caller is still there. Each look is a
#: question to the kernel, so it is not asked more often than somebody could notice.
CHECK_CALLER_EVERY = 0.5


class Caller(Protocol):
    """Whoever waits for the answer."""

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
        """Return the limits of a call whose whole answer is awaited before anything is done.

        The sidecar's own calls hold up somebody else's request, so their bodies have the
        limits of a head.
        """
        return dataclasses.replace(self, body_idle=self.read, body_total=self.total)


class Deadline:
    """The clock of one call. It starts when it is made."""

    def __init__(
        self, limits: Limits, monotonic: Callable[[], float], caller: Caller | None = None
    ) -> None:
        self.limits = limits
        self.monotonic = monotonic
        self._caller = caller
        self._until = monotonic() + limits.total

    def extend(self, seconds: float) -> None:
        """Move the total limit: the time of an upload has limits of its own."""
        self._until += seconds

    def start_body(self) -> None:
        """Change from the limit on the headers to the limit on the whole body."""
        self._until = self.monotonic() + self.limits.body_total

    def remaining(self, *, at_most: float) -> float:
        """Return the seconds that may still be waited; raise `UpstreamTimeout` at none."""
        remaining = min(self._until - self.monotonic(), at_most)

        if remaining <= 0:
            raise UpstreamTimeout("The chat provider did not answer in time.")

        return remaining

    def check_caller(self) -> None:
        """Raise `CallerLeft` where nobody is waiting any more."""
        if self._caller is not None and self._caller.has_left():
            raise CallerLeft("The caller closed its connection.")
