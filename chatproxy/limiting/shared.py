"""Counters shared by workers and replicas: an exact sliding window in Redis.

Redis runs a script as one step, so two calls at the same moment cannot both take the last place.
The clock is the Redis server's, since those of the replicas may differ.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chatproxy.errors import LimiterUnavailable
from chatproxy.formats.rates import Rate
from chatproxy.left_out import left_out
from chatproxy.metrics.table import REDIS_FAULTS

# For its own metrics, which nobody sends, it would load 2 MB; spans load theirs themselves. The
# other is for OCSP, which nobody asks for.
with left_out("cryptography", "opentelemetry"):
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

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

#: What the log says when Redis goes away.
AWAY = "Redis cannot be asked: LIMITS_WITHOUT_REDIS is in force"

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

#: Lists that the calls of made-up subjects share, and calls that each keeps. A million bad tokens
#: then cost some four megabytes, and what they push out is the count of others as bad. 512 also is
#: the highest limit that such a subject can meet.
CROWD_LISTS = 128
CROWD_CALLS = 512

#: The same for a list of many subjects: behind the 16 digits of each call stands whose it was.
#: LTRIM comes last, since a script that has written is not stopped where Redis has no memory left.
CROWD_SCRIPT = """
local limit = tonumber(ARGV[1])
local window = tonumber(ARGV[2]) * 1000000
local most = tonumber(ARGV[4])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local calls = redis.call('LRANGE', KEYS[1], 0, -1)
local newest = calls[1] and tonumber(string.sub(calls[1], 1, 16)) or 0

if newest > now + 1000000 then
    redis.call('DEL', KEYS[1])
    calls, newest = {}, 0
end

local kept, used, oldest = 0, 0, nil

for _, call in ipairs(calls) do
    local at = tonumber(string.sub(call, 1, 16))

    if at + window <= now then
        break
    end

    kept = kept + 1

    if string.sub(call, 17) == ARGV[3] then
        used, oldest = used + 1, at
    end
end

local allowed = 0

if used < limit then
    local call = math.max(now, newest)
    redis.call('LPUSH', KEYS[1], string.format('%.0f', call) .. ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[2] * 1000)
    oldest = oldest or call
    kept, used, allowed = kept + 1, used + 1, 1
end

redis.call('LTRIM', KEYS[1], 0, math.min(kept, most) - 1)
return {allowed, limit - used, oldest + window - now}
"""


class Shared:
    """Counters in one Redis. `fault` is the last call's error, empty if it succeeded."""

    def __init__(self, url: str, monotonic: Callable[[], float], away: str = AWAY) -> None:
        self._monotonic = monotonic
        self._away = away
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
        self._crowd_script = self._redis.register_script(CROWD_SCRIPT)
        self._further: dict[str, Any] = {}

    def hit(self, key: bytes, rate: Rate, *, made_up: bool = False) -> tuple[bool, int, int]:
        """Count a call as `Memory.hit` does; raise `LimiterUnavailable`.

        The key of a `made_up` subject gets no list of its own. After a failure it raises at once
        for `BACKOFF` seconds.
        """
        self._refuse_while_away()
        return self._count_in_crowd(key, rate) if made_up else self._count(key, rate)

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run another script, as one step; raise `LimiterUnavailable` as `hit` does."""
        self._refuse_while_away()
        registered = self._further.get(script)

        if registered is None:
            registered = self._further[script] = self._redis.register_script(script)

        return self._ask(lambda: registered(list(keys), list(arguments)))

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

    def retire(self) -> None:
        """Close the connections that are in no call; the others end with their calls."""
        self._redis.connection_pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        """Close all connections."""
        self._redis.close()

    def _refuse_while_away(self) -> None:
        if self.fault and not self._is_due():
            raise LimiterUnavailable(UNAVAILABLE, detail=self.fault)

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
        return self._ask(lambda: _counted(self._script([name], arguments)))

    def _count_in_crowd(self, key: bytes, rate: Rate) -> tuple[bool, int, int]:
        name = f"{PREFIX}crowd:{key[0] % CROWD_LISTS}"
        arguments: list[str | int] = [rate.count, rate.seconds, key.hex(), CROWD_CALLS]
        return self._ask(lambda: _counted(self._crowd_script([name], arguments)))

    def _ask(self, command: Callable[[], T]) -> T:
        try:
            answer = self._once_more(command)
        except FAILURES as error:
            fault = f"{type(error).__name__}: {error}"
            self._note(fault)
            REDIS_FAULTS.add()
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
            log.error(self._away, extra={"limits": {"fault": fault}})
        elif changed:
            log.info("Redis can be asked again")


def _counted(answer: Any) -> tuple[bool, int, int]:
    match answer:
        case [int(allowed), int(remaining), int(wait)]:
            return bool(allowed), remaining, wait
        case _:
            raise redis.InvalidResponse("this is no answer to the script")
