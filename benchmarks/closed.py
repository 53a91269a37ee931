"""Kept connections that ask without pause: the callers of everything that is compared.

They share two cores with what they measure, so one loop drives all connections, and what the
server sends is looked at no more than needed: the status, the framing, and that every byte came.
"""

import collections
import dataclasses
import math
import select
import socket
import time
from typing import Any

from benchmarks.request import DONE, GONE, Failure, Request, reason_of

#: Seconds without a sign from the server, after which all that is under way has failed.
GIVE_UP = 30.0

#: Bytes read and written at once.
PIECE = 256 * 1024
ZEROS = memoryview(bytes(PIECE))
LAST_CHUNK = b"0\r\n\r\n"


@dataclasses.dataclass
class Bound:
    """When no further request begins."""

    requests: float = math.inf
    seconds: float = math.inf


class Conversation:
    """One connection: the request that is going out on it, and the answer that is coming."""

    def __init__(self, port: int, room: bytearray) -> None:
        self._port = port
        self._room = room
        self._sock: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """Say whether there is a connection."""
        return self._sock is not None

    def open(self) -> socket.socket:
        """Connect where there is no connection; return it."""
        if self._sock is None:
            self._sock = socket.create_connection(("127.0.0.1", self._port), timeout=GIVE_UP)
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sock.setblocking(False)

        return self._sock

    def close(self) -> None:
        """Give the connection up."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def ask(self, content: bytes, zeros: int) -> bool:
        """Begin to send; say whether all of it is out."""
        self.began = time.monotonic()
        self._head = b""
        self._left: int | None = None
        self._tail: bytes | None = None
        self._stays = True
        self._unsent = memoryview(content)
        self._zeros = zeros
        return self.go_on()

    def go_on(self) -> bool:
        """Send as much as there is room for; say whether all of it is out."""
        sock = self.open()

        try:
            while self._unsent:
                self._unsent = self._unsent[sock.send(self._unsent) :]

                if not self._unsent and self._zeros:
                    self._unsent = ZEROS[: self._zeros]
                    self._zeros -= len(self._unsent)
        except BlockingIOError:
            return False

        return True

    def take(self) -> bool:
        """Take what has come; say whether the answer is complete."""
        try:
            count = self.open().recv_into(self._room)
        except BlockingIOError:
            return False

        if not count:
            raise EOFError

        if self._unsent:
            raise Failure("an early answer")

        if self._left is not None:
            self._left -= count
        elif self._tail is not None:
            self._take_chunks(bytes(self._room[:count]))
        else:
            self._take_head(bytes(self._room[:count]))

        if self._left is not None and self._left < 0:
            raise Failure("more than an answer")

        done = self._left == 0 or self._tail == LAST_CHUNK

        if done and not self._stays:
            self.close()

        return done

    def _take_head(self, data: bytes) -> None:
        self._head += data
        head, found, body = self._head.partition(b"\r\n\r\n")

        if not found:
            return

        head = head.lower() + b"\r\n"
        status = head[9:12]

        if not head.startswith(b"http/1.1 ") or status not in DONE:
            raise Failure(status.decode("latin-1"))

        self._stays = b"\r\nconnection: close\r\n" not in head
        _, found, rest = head.partition(b"\r\ncontent-length:")

        if found:
            self._left = int(rest.partition(b"\r\n")[0]) - len(body)
        elif b"\r\ntransfer-encoding: chunked\r\n" in head:
            self._take_chunks(body)
        else:
            raise Failure("an answer without length")

    def _take_chunks(self, data: bytes) -> None:
        # What is asked for here never has the bytes of a last chunk in its content.
        self._tail = ((self._tail or b"") + data)[-len(LAST_CHUNK) :]


class Callers:
    """All conversations with one server, and what became of their requests."""

    def __init__(self, port: int, request: Request, connections: int, bound: Bound) -> None:
        room = bytearray(PIECE)
        self._request = request
        self._contents = request.contents()
        self._bound = bound
        self._conversations = [Conversation(port, room) for _ in range(connections)]
        self._asking: dict[int, Conversation] = {}
        self._writing: set[int] = set()
        self._poll = select.epoll()
        self._begun = 0
        self._times: list[float] = []
        self._failures: collections.Counter[str] = collections.Counter()

    def run(self) -> dict[str, Any]:
        """Ask until the bound is met and everything is answered; tell what was seen."""
        started = time.monotonic()
        self._until = started + self._bound.seconds

        for one in self._conversations:
            self._next(one)

        while self._asking:
            events = self._poll.poll(GIVE_UP)

            for number, _ in events:
                self._go_on(number)

            if not events:
                self._give_up()

        seconds = time.monotonic() - started

        for one in self._conversations:
            one.close()

        return {
            "times": sorted(self._times),
            "failed": self._failures.total(),
            "failures": self._failures,
            "requests": self._begun,
            "seconds": seconds,
        }

    def _go_on(self, number: int) -> None:
        one = self._asking[number]

        try:
            if number in self._writing and one.go_on():
                self._writing.discard(number)
                self._poll.modify(number, select.EPOLLIN)

            if not one.take():
                return
        except (OSError, EOFError, Failure) as error:
            one.close()
            self._writing.discard(number)
            self._failures[reason_of(error)] += 1
        else:
            self._times.append(time.monotonic() - one.began)

        del self._asking[number]
        self._next(one)

    def _next(self, one: Conversation) -> None:
        while self._begun < self._bound.requests and time.monotonic() < self._until:
            self._begun += 1

            try:
                self._ask(one)
            except OSError as error:
                one.close()
                self._failures[reason_of(error)] += 1
            else:
                return

    def _ask(self, one: Conversation) -> None:
        was_open = one.is_open
        is_out = one.ask(next(self._contents), self._request.zeros)
        number = one.open().fileno()
        events = select.EPOLLIN if is_out else select.EPOLLIN | select.EPOLLOUT

        if not was_open:
            self._poll.register(number, events)
        elif not is_out:
            self._poll.modify(number, events)

        if not is_out:
            self._writing.add(number)

        self._asking[number] = one

    def _give_up(self) -> None:
        for one in self._asking.values():
            one.close()
            self._failures[GONE] += 1

        self._asking.clear()


def closed(port: int, request: Request, connections: int, requests: int) -> dict[str, Any]:
    """Ask until so many requests are made."""
    return Callers(port, request, connections, Bound(requests=requests)).run()


def timed(port: int, request: Request, connections: int, seconds: float) -> dict[str, Any]:
    """Ask for so many seconds; what is under way then is waited for."""
    return Callers(port, request, connections, Bound(seconds=seconds)).run()
