"""Counters shared by workers and replicas: an exact sliding window in Redis.

Redis runs a script as one step, so two calls at the same moment cannot both take the last place.
The clock is the Redis server's, since those of the replicas may differ.
"""

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chatproxy.errors import LimiterUnavailable
from chatproxy.formats.rates import Rate

log = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "chatproxy:limit:"

#: Connections that a worker opens. With all of them in use, a call waits for one.
CONNECTIONS = 32

#: Seconds for each of: waiting for a connection, connecting, waiting for an answer.
TIMEOUT = 0.5

#: Seconds after a failure in which Redis is not tried: else every request waits for the timeout.
BACKOFF = 1.0

#: What redis-py raises, and what it lets pass: it reads numbers in answers, `MOVED` among them.
FAILURES = (redis.RedisError, OSError, ValueError)

UNAVAILABLE = "The counters of the limits cannot be asked. Try again."

#: Seconds that readiness waits for Redis: enough for one that works or refuses.
MOMENT = 0.25

#: What the check-up counts. A PING would not do: a replica or a full Redis answers it, and refuses
#: to write. The limit is out of reach, since a call that is not counted needs no memory.
PROBE = (b"check-up", Rate(10**6, 1, "1000000 per second"))

#: One list for each subject, newest call first, in microseconds. They are formatted because Lua's
#: own conversion keeps 14 digits. A newest call in the future shows that the clock went back: a
#: little, as after a failover, and time is taken to stand still; a lot, and the count starts anew.
#: LTRIM changes nothing, but is a write: without it a server that is a replica by now would refuse,
#: with its own old count, whoever had used up the limit before.
SCRIPT = """
local limit = tonumber(ARGV[1])
local window = tonumber(ARGV[2]) * 1000000
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local newest = tonumber(redis.call('LINDEX', KEYS[1], 0) or 0)

if newest > now + 1000000 then
    redis.call('DEL', KEYS[1])
    newest = 0
end

local oldest = redis.call('LINDEX', KEYS[1], -1)

while oldest and oldest + window <= now do
    redis.call('RPOP', KEYS[1])
    oldest = redis.call('LINDEX', KEYS[1], -1)
end

local used = redis.call('LLEN', KEYS[1])
local allowed = 0

if used < limit then
    local call = math.max(now, newest)
    redis.call('LPUSH', KEYS[1], string.format('%.0f', call))
    redis.call('PEXPIRE', KEYS[1], ARGV[2] * 1000)
    oldest = oldest or call
    used = used + 1
    allowed = 1
else
    redis.call('LTRIM', KEYS[1], 0, limit - 1)
end

return {allowed, limit - used, oldest + window - now}
"""


class Shared:
    """Counters in one Redis. `fault` is the last call's error, empty if it succeeded."""

    def __init__(self, url: str, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._retry_at = 0.0
        self.fault = ""
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),  # `_ask` does it, for more kinds of failure
            driver_info=None,  # else each new connection first sends CLIENT SETINFO
        )
        self._redis = redis.Redis.from_pool(pool)
        self._script = self._redis.register_script(SCRIPT)

    def hit(self, key: bytes, rate: Rate) -> tuple[bool, int, int]:
        """Count a call as `Memory.hit` does; raise `LimiterUnavailable`.

        After a failure it raises at once for `BACKOFF` seconds.
        """
        if self.fault and not self._is_due():
            raise LimiterUnavailable(UNAVAILABLE, detail=self.fault)

        return self._count(key, rate)

    def give_back(self, key: bytes) -> None:
        """Forget the newest call; if Redis is away it stays counted."""
        with contextlib.suppress(LimiterUnavailable):
            self._ask(lambda: self._redis.lpop(PREFIX + key.hex()))

    def ping(self) -> None:
        """Raise `LimiterUnavailable` unless Redis counts."""
        self._count(*PROBE)

    def look(self) -> str:
        """Return `fault`; ask anew if nobody has for `BACKOFF` seconds, and wait a moment."""
        if self._is_due():
            # In the background, since a name look-up has no time limit: a probe that waited for it
            # would take the sidecar out of service together with Redis.
            asking = threading.Thread(target=self._ping_quietly, daemon=True)
            asking.start()
            asking.join(MOMENT)

        return self.fault

    def close(self) -> None:
        """Close all connections."""
        self._redis.close()

    def _is_due(self) -> bool:
        with self._lock:
            now = self._monotonic()

            if now < self._retry_at:
                return False

            # Moved before the try: one caller tests a Redis that failed, the others do not wait.
            self._retry_at = now + BACKOFF
            return True

    def _ping_quietly(self) -> None:
        with contextlib.suppress(LimiterUnavailable):
            self.ping()

    def _count(self, key: bytes, rate: Rate) -> tuple[bool, int, int]:
        name, arguments = PREFIX + key.hex(), [rate.count, rate.seconds]

        def command() -> tuple[bool, int, int]:
            match self._script([name], arguments):
                case [int(allowed), int(remaining), int(wait)]:
                    return bool(allowed), remaining, wait
                case _:
                    raise redis.InvalidResponse("this is no answer to the script")

        return self._ask(command)

    def _ask(self, command: Callable[[], T]) -> T:
        try:
            answer = self._once_more(command)
        except FAILURES as error:
            fault = f"{type(error).__name__}: {error}"
            self._note(fault)
            raise LimiterUnavailable(UNAVAILABLE, detail=fault) from error

        self._note("")
        return answer

    def _once_more(self, command: Callable[[], T]) -> T:
        try:
            return self._on_kept_connections(command)
        except FAILURES as error:
            # Not after a timeout, whose retry would double the wait; and once it is known that
            # Redis is away, all connections are new.
            if isinstance(error, redis.TimeoutError | TimeoutError) or self.fault:
                raise

        return self._on_kept_connections(command)

    def _on_kept_connections(self, command: Callable[[], T]) -> T:
        try:
            return command()
        except FAILURES:
            # Whatever it was, the others lead to the same server: it has died, fallen silent, or
            # become a replica, where each would answer READONLY for ever. The next call connects
            # anew, to whatever the name stands for then.
            self._redis.connection_pool.disconnect(inuse_connections=False)
            raise

    def _note(self, fault: str) -> None:
        # The change is logged, not each failure: an outage would fill the log.
        with self._lock:
            changed = bool(fault) != bool(self.fault)
            self.fault = fault
            self._retry_at = self._monotonic() + BACKOFF

        if changed and fault:
            log.error(
                "Redis cannot be asked: LIMITS_WITHOUT_REDIS is in force",
                extra={"limits": {"fault": fault}},
            )
        elif changed:
            log.info("Redis counts again")
