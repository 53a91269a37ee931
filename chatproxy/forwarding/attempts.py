"""Several ways to connect, of which the first that is ready wins (RFC 8305, "Happy Eyeballs").

An attempt is written as a generator. It yields what it has to wait for, and returns its socket
once that is ready. So one call waits for all of its attempts by itself, without threads.
"""

import collections
import itertools
import select
import socket
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

#: Seconds from the beginning of one attempt to that of the next (section 8).
DELAY = 0.25
#: The least that section 5 allows, so that a long list does not become a burst.
SHORTEST_DELAY = 0.01
#: Attempts that one call has open at once. A name may have hundreds of addresses, and while none
#: of them answers, every call waits with as many descriptors.
MOST_AT_ONCE = 16

#: An entry of `socket.getaddrinfo`.
Address = tuple[Any, ...]
#: Yields a socket and the event of `select.poll` to wait for; raises `OSError`.
Steps = Generator[tuple[socket.socket, int], None, socket.socket]


class NoneReady(Exception):
    """Every attempt failed. `failures` are the name of each and its error, in that order."""

    def __init__(self, failures: Sequence[tuple[str, OSError]]) -> None:
        super().__init__("no attempt succeeded")
        self.failures = failures


class Attempt:
    """One way to connect; `name` is for the log."""

    def __init__(self, name: str, steps: Steps) -> None:
        self.name = name
        self._steps = steps
        self._sock: socket.socket
        self._event = 0

    def advance(self) -> socket.socket | None:
        """Go on until there is something to wait for; return the socket once it is ready."""
        try:
            self._sock, self._event = next(self._steps)
        except StopIteration as end:
            ready: socket.socket = end.value
            return ready

        return None

    @property
    def is_connecting(self) -> bool:
        """Say whether it waits for the connection itself, not for what is said on it."""
        return self._event == select.POLLOUT

    def register(self, poll: select.poll) -> int:
        """Have the poll object watch what this waits for; return the descriptor."""
        poll.register(self._sock.fileno(), self._event)
        return self._sock.fileno()

    def end(self, error: OSError) -> OSError:
        """Have an error happen where the attempt waits; return what it makes of that."""
        try:
            self._steps.throw(error)
        except OSError as made:
            return made

        return error

    def close(self) -> None:
        """Give up, and close the socket."""
        self._steps.close()


class Race:
    """Attempts of which one is wanted. The next one begins when the last has had its time."""

    def __init__(
        self, attempts: Iterable[Attempt], until: float, monotonic: Callable[[], float]
    ) -> None:
        self._waiting = collections.deque(attempts)
        self._running: list[Attempt] = []
        self._failures: list[tuple[str, OSError]] = []
        self._until = until
        self._monotonic = monotonic
        # All of them begin within the first half of the time, the rest of which is the last one's.
        share = (until - monotonic()) / 2 / max(len(self._waiting), 1)
        self._delay = max(min(DELAY, share), SHORTEST_DELAY)
        self._next_at = monotonic()

    def run(self) -> socket.socket:
        """Return the socket that is ready first; close all others. Raises `NoneReady`."""
        try:
            while self._waiting or self._running:
                due = self._waiting and self._monotonic() >= self._next_at

                if (sock := self._begin() if due else self._wait()) is not None:
                    return sock
        finally:
            for attempt in self._running:
                attempt.close()

        raise NoneReady(self._failures)

    def _begin(self) -> socket.socket | None:
        if len(self._running) == MOST_AT_ONCE:
            self._end(self._running[0], "given up for the next")

        attempt = self._waiting.popleft()
        self._running.append(attempt)
        self._next_at = self._monotonic() + self._delay
        return self._advance(attempt)

    def _wait(self) -> socket.socket | None:
        now = self._monotonic()

        if now >= self._until:
            self._waiting.clear()

            for attempt in list(self._running):
                self._end(attempt, "no answer in time")

            return None

        poll = select.poll()
        watched = {attempt.register(poll): attempt for attempt in self._running}
        wake_at = min(self._until, self._next_at) if self._waiting else self._until

        # The next one may have become due since `run` looked. Less than 0 would be no limit at all.
        for descriptor, _ in poll.poll(max(0.0, wake_at - now) * 1000):
            if (sock := self._advance(watched[descriptor])) is not None:
                return sock

        return None

    def _advance(self, attempt: Attempt) -> socket.socket | None:
        was_connecting = attempt.is_connecting

        try:
            sock = attempt.advance()
        except OSError as error:
            self._running.remove(attempt)
            self._failures.append((attempt.name, error))
            self._next_at = self._monotonic()
            return None

        if sock is not None:
            self._running.remove(attempt)
        elif was_connecting and not attempt.is_connecting:
            # Connected, the handshake has as much time again. Else every connection to a provider
            # far away would be made twice.
            self._next_at = self._monotonic() + self._delay

        return sock

    def _end(self, attempt: Attempt, reason: str) -> None:
        self._running.remove(attempt)
        self._failures.append((attempt.name, attempt.end(TimeoutError(reason))))


def interleaved(found: Iterable[Address]) -> list[Address]:
    """Order addresses so that the families take turns, beginning with that of the first one.

    Within a family the resolver's order stays (RFC 6724; RFC 8305 section 4).
    """
    families: dict[int, list[Address]] = {}

    for address in dict.fromkeys(found):
        families.setdefault(address[0], []).append(address)

    turns = itertools.zip_longest(*families.values())
    return [address for turn in turns for address in turn if address is not None]
