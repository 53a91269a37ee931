"""How long is waited, and for whom: the time limits of one forwarded call."""

import dataclasses
from collections.abc import Callable

from chatproxy.errors import CallerLeft, UpstreamTimeout
from chatproxy.forwarding.caller import Caller

#: Seconds of waiting after which we look whether the caller is still there.
LOOK_UP_FROM_WAITING = 0.5


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds and the body limit in bytes; see the settings."""

    connect: float
    read: float
    total: float
    body_idle: float
    body_total: float
    body_bytes: int


class Patience:
    """The clock of one call. It starts when it is made."""

    def __init__(
        self, limits: Limits, monotonic: Callable[[], float], caller: Caller | None = None
    ) -> None:
        self.limits = limits
        self.monotonic = monotonic
        self._caller = caller or Caller(None)
        self._until = monotonic() + limits.total

    def allow_more(self, seconds: float) -> None:
        """Move the total limit: the time of an upload has limits of its own."""
        self._until += seconds

    def start_body(self) -> None:
        """Change from the limit on the headers to the limit on the whole body."""
        self._until = self.monotonic() + self.limits.body_total

    def left(self, *, at_most: float) -> float:
        """Return the seconds that may still be waited; raise `UpstreamTimeout` at none."""
        left = min(self._until - self.monotonic(), at_most)

        if left <= 0:
            raise UpstreamTimeout("The chat provider did not answer in time.")

        return left

    def look_up(self) -> None:
        """Raise `CallerLeft` where nobody is waiting any more."""
        if self._caller.has_left():
            raise CallerLeft("The caller closed its connection.")
