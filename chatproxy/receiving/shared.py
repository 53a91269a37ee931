"""The window that replicas share, in Redis; in memory while Redis is away.

Redis runs a script as one step, so two claims at the same moment cannot both get the event.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from chatproxy.errors import LimiterUnavailable
from chatproxy.limiting.shared import Shared
from chatproxy.receiving.memory import Memory
from chatproxy.receiving.window import Bounds, Delivered, Failed, Found, Mine, Theirs, new_token

PREFIX = "chatproxy:webhook:"
ORDER = "chatproxy:webhooks"

#: Milliseconds for which those who wait can find out that a delivery has failed.
TOLD_FOR = 60_000

AWAY = "Redis cannot be asked: webhooks are remembered by this server alone"

#: A value is `u` for under way and a token, `d` and a status, or `f`, a token and a status.
CLAIM = """
local known = redis.call('GET', KEYS[1])

if known then
    local kind = string.sub(known, 1, 1)

    if kind ~= 'f' or string.sub(known, 2, 33) == ARGV[2] then
        return known
    end
end

redis.call('SET', KEYS[1], 'u' .. ARGV[1], 'PX', ARGV[3])
return 'm'
"""

#: The order is that of the deliveries. What is above the most is forgotten, the oldest first.
END = """
if redis.call('GET', KEYS[1]) ~= 'u' .. ARGV[1] then
    return 0
end

redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])

if string.sub(ARGV[2], 1, 1) == 'd' then
    local clock = redis.call('TIME')
    local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[3])
    redis.call('ZADD', KEYS[2], now, KEYS[1])
    redis.call('PEXPIRE', KEYS[2], ARGV[3])
    local more = redis.call('ZCARD', KEYS[2]) - ARGV[4]

    if more > 0 then
        local oldest = redis.call('ZPOPMIN', KEYS[2], more)

        for place = 1, #oldest, 2 do
            redis.call('DEL', oldest[place])
        end
    end
end

return 1
"""


class SharedWindow:
    """A window in one Redis, with one in memory for when it is away."""

    def __init__(
        self, url: str, memory: Memory, bounds: Bounds, monotonic: Callable[[], float]
    ) -> None:
        self._memory = memory
        self._bounds = bounds
        self._monotonic = monotonic
        self._server = Shared(url, monotonic, AWAY)

    @property
    def fault(self) -> str:
        """The error of the last call to Redis, empty if it succeeded."""
        return self._server.fault

    def connect_by(self, url: str) -> None:
        """Remember in another Redis from the next event on."""
        before, self._server = self._server, Shared(url, self._monotonic, AWAY)
        before.retire()

    def claim(self, key: bytes, awaited: bytes) -> Found:
        """Say what is known of an event, as `Window.claim`."""
        token = new_token()
        lease = int(self._bounds.lease * 1000)
        arguments: list[str | int] = [token.hex(), awaited.hex(), lease]

        try:
            said = self._server.run(CLAIM, [PREFIX + key.hex()], arguments)
        except LimiterUnavailable:
            return self._memory.claim(key, awaited)

        return _found(said, token)

    def end(self, key: bytes, token: bytes, status: int, *, taken: bool) -> bool:
        """Say what came of a delivery, as `Window.end`."""
        # It may have been claimed before Redis went away, or while it was.
        if self._memory.end(key, token, status, taken=taken):
            return True

        value = f"d{status}" if taken else f"f{token.hex()}{status}"
        time = int(self._bounds.seconds * 1000) if taken else TOLD_FOR
        arguments: list[str | int] = [token.hex(), value, time, self._bounds.most]

        # If it cannot be said, the lease ends, and what was delivered may be so once more.
        with contextlib.suppress(LimiterUnavailable):
            return bool(self._server.run(END, [PREFIX + key.hex(), ORDER], arguments))

        return False

    def close(self) -> None:
        """Close all connections."""
        self._server.close()


def _found(said: Any, token: bytes) -> Found:
    text = said.decode("ascii") if isinstance(said, bytes) else str(said)
    kind, rest = text[:1], text[1:]

    if kind == "m":
        return Mine(token)

    if kind == "u":
        return Theirs(bytes.fromhex(rest))

    return Delivered(int(rest)) if kind == "d" else Failed(int(rest[32:]))
