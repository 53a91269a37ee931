"""The counters that workers and replicas share: an exact moving window in Redis.

One script does the whole, so that calls at the same moment cannot both take the last
place. The clock is the Redis server's: those of the replicas may differ.
"""

import contextlib
import logging
import threading
from collections.abc import Callable

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chatproxy.errors import LimiterUnavailable
from chatproxy.formats.rates import Rate

log = logging.getLogger(__name__)

PREFIX = "chatproxy:limit:"

#: Connections that a worker opens. Who finds all in use waits for one.
CONNECTIONS = 32

#: Seconds that the wait for a connection, connecting, and each answer may take.
PATIENCE = 0.5

#: Seconds for which Redis is not asked after it failed.
REST = 1.0

UNAVAILABLE = "The counters of the limits cannot be asked. Try again."

#: What a look at Redis counts: it is a call like any other, as a Redis that cannot be
#: written to answers a PING all the same.
LOOK = (b"check-up", Rate(1, 1, "1 per second"))

#: A list for each subject, newest call first, in microseconds, which Lua would round
#: if it wrote them. Where the newest lies ahead, the clock went back: by little (another
#: server took over), and it is taken as standing still; by much, and all starts anew.
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
end

return {allowed, limit - used, oldest + window - now}
"""


class Shared:
    """The counters in one Redis. `fault` is what went wrong last, empty when it works."""

    def __init__(self, url: str, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._again = 0.0
        self.fault = ""
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=PATIENCE,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            # Once, for a connection that died meanwhile: not after a time limit has passed.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            driver_info=None,  # else each new connection would first tell the library's name
        )
        self._redis = redis.Redis.from_pool(pool)
        self._script = self._redis.register_script(SCRIPT)

    def hit(self, key: bytes, rate: Rate) -> tuple[bool, int, int]:
        """Count a call as `Memory.hit` does.

        Raises `LimiterUnavailable`: after a time limit once, and for a second at once.
        """
        if not self._may_be_asked():
            raise LimiterUnavailable(UNAVAILABLE, detail=self.fault)

        return self._ask(key, rate)

    def give_back(self, key: bytes) -> None:
        """Forget the newest call; where Redis is away it stays counted."""
        with contextlib.suppress(redis.RedisError, OSError):
            self._redis.lpop(PREFIX + key.hex())

    def ping(self) -> None:
        """Raise `LimiterUnavailable` unless Redis counts."""
        self._ask(*LOOK)

    def close(self) -> None:
        """Close all connections."""
        self._redis.close()

    def _may_be_asked(self) -> bool:
        """Say whether Redis works or has rested; then one caller tries it for all others."""
        with self._lock:
            now = self._monotonic()

            if self.fault and now < self._again:
                return False

            self._again = now + REST
            return True

    def _ask(self, key: bytes, rate: Rate) -> tuple[bool, int, int]:
        try:
            allowed, remaining, wait = self._script(
                keys=[PREFIX + key.hex()], args=[rate.count, rate.seconds]
            )
        except (redis.RedisError, OSError) as error:
            fault = f"{type(error).__name__}: {error}"
            self._note(fault)
            raise LimiterUnavailable(UNAVAILABLE, detail=fault) from error

        self._note("")
        return bool(allowed), remaining, wait

    def _note(self, fault: str) -> None:
        """Remember how it went; log the change, not each failure."""
        with self._lock:
            changed = bool(fault) != bool(self.fault)
            self.fault = fault
            self._again = self._monotonic() + REST

        if changed and fault:
            log.error(
                "Redis cannot be asked: LIMITS_WITHOUT_REDIS is in force",
                extra={"limits": {"fault": fault}},
            )
        elif changed:
            log.info("Redis counts again")
