"""What an upstream received: one entry a request, visible from its head on.

An entry is made when the head was read and filled while the body comes in, so a test can look at
an upload that never ended. All times are of `time.monotonic()`.
"""

import hashlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.wire import Framing, Head, Headers, values_of

BODY_KEPT = 64 * 1024
CAPACITY = 10_000


@dataclass
class Link:
    """One TCP connection: its number, how many requests it carried, when it was closed."""

    number: int
    requests: int = 0
    closed_at: float | None = None


@dataclass
class Received:
    """One request as it arrived.

    `body` holds the first 64 KiB, size and digest count all of it. `complete` is False where the
    upload was cut. `malformed` is the parser's reason where it was no valid HTTP. `status` is what
    was answered, None while nothing was. `peer_left_at` is set where the other side went first.
    """

    number: int
    link: Link
    head: bytes
    method: str = ""
    target: str = ""
    headers: Headers = ()
    framing: Framing = "none"
    status: int | None = None
    malformed: str | None = None
    complete: bool = False
    body: bytes = b""
    body_size: int = 0
    peer_left_at: float | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    _digest: Any = field(default_factory=hashlib.sha256)

    @property
    def connection(self) -> int:
        return self.link.number

    @property
    def closed_at(self) -> float | None:
        return self.link.closed_at

    @property
    def body_sha256(self) -> str:
        return str(self._digest.copy().hexdigest())

    def values(self, name: str) -> list[str]:
        return values_of(self.headers, name)

    def take(self, piece: bytes) -> None:
        self._digest.update(piece)
        self.body_size += len(piece)
        self.body += piece[: max(0, BODY_KEPT - len(self.body))]


class Journal:
    """A thread-safe sequence of the last `capacity` requests, oldest first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._entries: deque[Received] = deque(maxlen=capacity)
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Received]:
        return iter(self.snapshot())

    def __getitem__(self, index: int) -> Received:
        return self.snapshot()[index]

    def snapshot(self) -> list[Received]:
        with self._changed:
            return list(self._entries)

    def clear(self) -> None:
        """Forget all entries; numbers go on counting."""
        with self._changed:
            self._entries.clear()

    def wait_for(self, wanted: Callable[[Received], bool], timeout: float = 5.0) -> Received:
        """Return the first entry that is `wanted`. Raises TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for entry in self._entries:
                    if wanted(entry):
                        return entry

                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no such request within {timeout} s")

                # Growing bodies are not announced, hence the short wait.
                self._changed.wait(min(left, 0.02))

    def open(self, link: Link, head: Head) -> Received:
        parts = (head.raw, head.method, head.target, head.headers, head.framing)
        return self._add(Received(next(self._numbers), link, *parts))

    def open_malformed(self, link: Link, raw: bytes, reason: str) -> Received:
        entry = Received(next(self._numbers), link, raw, malformed=reason)
        entry.ended.set()
        return self._add(entry)

    def completed(self, entry: Received) -> None:
        entry.complete = True
        self._ended(entry)

    def answered(self, entry: Received, status: int) -> None:
        """Note the answer that is written."""
        with self._changed:
            entry.status = status
            self._changed.notify_all()

    def peer_left(self, entry: Received) -> None:
        """Note that the other side closed or reset before we were through."""
        entry.peer_left_at = time.monotonic()
        self._ended(entry)

    def closed(self, link: Link, entry: Received | None) -> None:
        """Note the end of a connection, and of the request that was under way on it."""
        link.closed_at = time.monotonic()
        if entry is not None:
            self._ended(entry)

    def _ended(self, entry: Received) -> None:
        with self._changed:
            entry.ended.set()
            self._changed.notify_all()

    def _add(self, entry: Received) -> Received:
        with self._changed:
            self._entries.append(entry)
            self._changed.notify_all()

        return entry
