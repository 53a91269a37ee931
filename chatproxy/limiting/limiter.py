"""The limiter: counts in Redis if there is one, else in this process."""

import dataclasses
import hashlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from chatproxy.errors import Limit, LimiterUnavailable, TooManyRequests
from chatproxy.formats.rates import MICROSECONDS, Rate
from chatproxy.limiting.memory import Memory
from chatproxy.settings.limits import LimiterSettings

if TYPE_CHECKING:
    from chatproxy.limiting.shared import Shared

#: 128 bits of the digest: two subjects do not meet in practice.
KEY_BYTES = 16


@dataclasses.dataclass(frozen=True)
class Count:
    """The result of counting one call.

    `reset` is the whole seconds, rounded up, until the oldest counted call leaves the window and
    makes room. If the call was let through uncounted, `counted` is false and the numbers mean
    nothing.
    """

    allowed: bool
    limit: int
    remaining: int
    reset: int
    counted: bool = True

    def headers(self) -> dict[str, str]:
        """Return the rate limit headers, none if the call was not counted."""
        if not self.counted:
            return {}

        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class Limiter:
    """Counts calls in Redis where the settings name one, else in this process."""

    def __init__(self, settings: LimiterSettings, monotonic: Callable[[], float]) -> None:
        self._without_redis = settings.without_redis
        # Several, since each forgets its oldest subjects when it is full: a flood of bad tokens
        # must not make the counts of issued ones disappear.
        self._memories: dict[tuple[Rate, bool], Memory] = {}
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._shared = _shared(settings, monotonic)

    def connect_by(self, settings: LimiterSettings) -> None:
        """Count in the Redis that these settings name from the next call on."""
        before, self._shared = self._shared, _shared(settings, self._monotonic)

        if before is not None:
            before.retire()

    @property
    def fault(self) -> str:
        """The error of the last call to Redis, empty if it succeeded."""
        return "" if self._shared is None else self._shared.fault

    def hit(self, subject: str, rate: Rate, *, made_up: bool = False) -> Count:
        """Count one call of a subject, unless the rate is used up.

        A `made_up` subject is one of as many as callers without a credential like to show. Those
        share a bounded room in which the oldest calls are forgotten.

        Raises `LimiterUnavailable` if Redis is away and the settings say to refuse then.
        """
        key = key_of(subject, rate)

        if self._shared is not None:
            try:
                return _count(rate, self._shared.hit(key, rate, made_up=made_up))
            except LimiterUnavailable:
                if self._without_redis == "refuse":
                    raise

            if self._without_redis == "allow":
                return Count(allowed=True, limit=rate.count, remaining=0, reset=0, counted=False)

        return _count(rate, self._memory_of(rate, made_up=made_up).hit(key, rate))

    def spend(
        self,
        subject: str,
        rate: Rate,
        message: str,
        *,
        made_up: bool = False,
        limit: Limit = "caller",
    ) -> Count:
        """Count one call as `hit` does; raise `TooManyRequests` if the rate is used up."""
        count = self.hit(subject, rate, made_up=made_up)

        if not count.allowed:
            raise TooManyRequests(
                message, retry_after=count.reset, headers=count.headers(), limit=limit
            )

        return count

    def _memory_of(self, rate: Rate, *, made_up: bool) -> Memory:
        with self._lock:
            return self._memories.setdefault((rate, made_up), Memory(self._monotonic))

    def give_back(self, subject: str, rate: Rate) -> None:
        """Take back one counted call, which failed through no fault of the caller."""
        key = key_of(subject, rate)

        if self._shared is None or self._shared.fault:
            self._memory_of(rate, made_up=False).give_back(key)
        else:
            self._shared.give_back(key)

    def look(self) -> str:
        """Return `fault`, as it is now."""
        return "" if self._shared is None else self._shared.look()

    def ping(self) -> None:
        """Raise `LimiterUnavailable` if Redis is configured and does not work."""
        if self._shared is not None:
            self._shared.ping()

    def close(self) -> None:
        """Close all connections."""
        if self._shared is not None:
            self._shared.close()


def _shared(settings: LimiterSettings, monotonic: Callable[[], float]) -> "Shared | None":
    if settings.redis_url is None:
        return None

    from chatproxy.limiting.shared import Shared  # redis is an extra

    return Shared(settings.redis_url, monotonic)


def key_of(subject: str, rate: Rate) -> bytes:
    """Return the key of a subject's counter."""
    # A digest: a subject can be long, and names people, whom Redis need not know.
    text = f"{rate}\n{subject}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).digest()[:KEY_BYTES]


def _count(rate: Rate, result: tuple[bool, int, int]) -> Count:
    allowed, remaining, wait = result
    return Count(allowed, rate.count, remaining, reset=-(-wait // MICROSECONDS))
