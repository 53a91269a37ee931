"""The window in memory that all processes of a server share.

The first process makes it, and those that are forked from it inherit it. A lock on its file is the
process's own and ends with it, however it ends (fcntl(2), "Advisory record locking").
"""

import contextlib
import fcntl
import mmap
import os
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from chatproxy.errors import TooMuchHeld
from chatproxy.receiving.window import (
    KEY,
    Bounds,
    Delivered,
    Failed,
    Found,
    Mine,
    Theirs,
    new_token,
)

#: The states of an event.
NONE, UNDER_WAY, DELIVERED, FAILED = range(4)

#: Seconds between two tries to get the lock, which is held for microseconds, and the most tries.
A_MOMENT = 0.0005
MOMENTS = 2000

FULL = "Too many webhooks are being delivered. Try again."


class Event(NamedTuple):
    """What is known of an event. `until` is a moment of the monotonic clock."""

    state: int
    status: int
    pid: int
    until: float
    token: bytes


RECORD = struct.Struct(f"=HHId{KEY}s")
HEAD = struct.Struct("=Q")


class Block:
    """The memory: the place for the next event, the keys of all, and what is known of each.

    The oldest event makes room for a new one.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._keys_end = HEAD.size + most * KEY
        size = self._keys_end + most * RECORD.size

        if hasattr(os, "memfd_create"):
            self.descriptor = os.memfd_create("chatproxy-webhooks")
        else:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is kept
            self.descriptor = self._file.fileno()

        os.ftruncate(self.descriptor, size)
        self._memory = mmap.mmap(self.descriptor, size)

    def find(self, key: bytes) -> int | None:
        """Return the place of an event, None if it is not there."""
        keys = self._memory[HEAD.size : self._keys_end]
        found = keys.find(key)

        while found >= 0 and found % KEY:
            found = keys.find(key, found + 1)

        return None if found < 0 else found // KEY

    def read(self, place: int) -> Event:
        """Return what is known of an event."""
        return Event._make(RECORD.unpack_from(self._memory, self._place_of(place)))

    def write(self, place: int, event: Event) -> None:
        """Change what is known of an event."""
        RECORD.pack_into(self._memory, self._place_of(place), *event)

    def add(self, key: bytes, event: Event, is_held: Callable[[Event], bool]) -> None:
        """Put an event in the place of the oldest that is not held; raise `TooMuchHeld`."""
        (following,) = HEAD.unpack_from(self._memory)

        for further in range(self.most):
            place = (following + further) % self.most

            if not is_held(self.read(place)):
                # The key last: without one nothing finds what is half written.
                self.write(place, event)
                self._name(place, key)
                HEAD.pack_into(self._memory, 0, (place + 1) % self.most)
                return

        raise TooMuchHeld(FULL)

    def forget(self, place: int) -> None:
        """Take out an event."""
        self._name(place, bytes(KEY))
        self.write(place, Event(NONE, 0, 0, 0.0, b""))

    def _name(self, place: int, key: bytes) -> None:
        start = HEAD.size + place * KEY
        self._memory[start : start + KEY] = key

    def _place_of(self, place: int) -> int:
        return self._keys_end + place * RECORD.size


class Memory:
    """A window in a block."""

    def __init__(self, block: Block, bounds: Bounds, monotonic: Callable[[], float]) -> None:
        self._block = block
        self._bounds = bounds
        self._monotonic = monotonic
        # The file's lock is the process's: its threads need one of their own.
        self._lock = threading.Lock()

    def claim(self, key: bytes, awaited: bytes) -> Found:
        """Say what is known of an event, as `Window.claim`."""
        with self._locked():
            place = self._block.find(key)

            if place is not None:
                event = self._block.read(place)

                if (known := self._known(event, awaited)) is not None:
                    return known

                self._block.forget(place)

            token, until = new_token(), self._monotonic() + self._bounds.lease
            event = Event(UNDER_WAY, 0, os.getpid(), until, token)
            self._block.add(key, event, self._is_held)
            return Mine(token)

    def end(self, key: bytes, token: bytes, status: int, *, taken: bool) -> bool:
        """Say what came of a delivery, as `Window.end`."""
        with self._locked():
            place = self._block.find(key)
            event = None if place is None else self._block.read(place)

            if place is None or event is None or (event.state, event.token) != (UNDER_WAY, token):
                return False

            until = self._monotonic() + self._bounds.seconds
            state = DELIVERED if taken else FAILED
            self._block.write(place, Event(state, status, event.pid, until, token))
            return True

    def _known(self, event: Event, awaited: bytes) -> Found | None:
        if self._is_held(event):
            return Theirs(event.token)

        if event.state == DELIVERED and self._monotonic() < event.until:
            return Delivered(event.status)

        if event.state == FAILED and event.token == awaited:
            return Failed(event.status)

        return None

    def _is_held(self, event: Event) -> bool:
        if event.state != UNDER_WAY or self._monotonic() >= event.until:
            return False

        # A worker that was killed cannot give back what it held; its retry may come at once.
        try:
            os.kill(event.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True

        return True

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            self._lock_file()

            try:
                yield
            finally:
                fcntl.lockf(self._block.descriptor, fcntl.LOCK_UN)

    def _lock_file(self) -> None:
        # Never waited for in one call, which would stop all that this process serves.
        for _ in range(MOMENTS):
            try:
                fcntl.lockf(self._block.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                time.sleep(A_MOMENT)
            else:
                return

        raise TooMuchHeld(FULL)


_server: Block | None = None


def share(most: int) -> None:
    """Make the memory of this server, before its workers are forked."""
    global _server
    _server = Block(most)


def inherited() -> Block | None:
    """Return the memory of the server that this process was forked from, None elsewhere."""
    return _server
