"""One HTTP/1.1 connection to an upstream.

The grammar of the messages is h11's, which refuses what is not HTTP; the waiting
is ours: every wait has a limit and looks up for a caller who left, and while a
body is on its way up an early answer is noticed.
"""

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Iterator

import h11

from chatproxy.errors import AnswerBroken, UpstreamBroken, UpstreamTimeout
from chatproxy.forwarding.body import PIECE, CallerBody
from chatproxy.forwarding.headers import LARGEST_HEAD, oddity_of
from chatproxy.forwarding.timeouts import CHECK_CALLER_EVERY, Deadline

WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class _AnsweredEarly(Exception):
    """The answer began before the upload ended."""


class Connection:
    """A connected socket and the state of the messages on it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        self._early: h11.Response | None = None
        self._sent = 0
        self._received = 0
        self.reused = False

    def exchange(
        self, request: h11.Request, body: CallerBody | None, deadline: Deadline
    ) -> h11.Response:
        """Send a request, return the head of its answer; interim answers are passed over.

        Raises `UpstreamBroken`, `UpstreamTimeout`, `CallerLeft`, and what reading
        the caller's body raises. After an error the connection must be closed.
        """
        self._sent = self._received = 0
        head = self._h11.send(request) or b""

        if body is None:
            self._send(head + (self._h11.send(h11.EndOfMessage()) or b""), deadline)
            return self._answer(deadline)

        with contextlib.suppress(_AnsweredEarly):
            self._upload(head, body, deadline)

        return self._early or self._answer(deadline)

    def pieces(self, deadline: Deadline) -> Iterator[bytes]:
        """Yield the answer's body as it comes; raise `AnswerBroken` where it breaks off."""
        deadline.start_body()
        head_is_out = False

        try:
            while not isinstance(event := self._next(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
                    head_is_out = True
                elif event is h11.NEED_DATA:
                    if not head_is_out:
                        yield b""  # the caller has the head while the body is awaited
                        head_is_out = True

                    self._take(self._receive(deadline.limits.body_idle, deadline))
        except (UpstreamBroken, UpstreamTimeout) as error:
            if not head_is_out:
                yield b""  # what begins as an answer must end as a broken one

            raise AnswerBroken(
                "The chat provider's answer broke off.", detail=error.detail or error.message
            ) from error

    def make_ready(self) -> bool:
        """Prepare for another request; False where the connection cannot have one."""
        done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE

        if not done or self._h11.trailing_data[0]:
            return False

        self._h11.start_next_cycle()
        self._early = None
        self.reused = True
        return True

    def is_silent(self) -> bool:
        """Say whether an idle connection is still open and nothing came unasked."""
        try:
            self._sock.settimeout(0.0)
            self._sock.recv(1)
        except WOULD_BLOCK:
            return True
        except OSError:
            return False

        return False

    def close(self) -> None:
        """Close the connection, whatever its state. A message under way stays cut."""
        with contextlib.suppress(OSError):
            self._sock.close()

    def fileno(self) -> int:
        """Return the descriptor, to be watched while the caller's body is awaited."""
        return self._sock.fileno()

    def look(self) -> None:
        """Take what the upstream sent while we upload; raise where it is an answer.

        After a final answer the rest of the upload is of no use to anybody.
        """
        self._sock.settimeout(0.0)

        try:
            self._take(self._sock.recv(PIECE))
        except WOULD_BLOCK:
            return
        except OSError as error:
            raise self._broken(error) from error

        while (event := self._next()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                self._early = event
                raise _AnsweredEarly

    def _upload(self, head: bytes, body: CallerBody, deadline: Deadline) -> None:
        """Send head and body. The head does not wait for the first piece of the body."""
        self._send(head, deadline)
        started = deadline.monotonic()

        while piece := body.read(meanwhile=self):
            deadline.extend(deadline.monotonic() - started)
            started = deadline.monotonic()
            self.look()
            self._send_body(self._h11.send(h11.Data(data=piece)) or b"", deadline)

        self._send_body(self._h11.send(h11.EndOfMessage()) or b"", deadline)
        deadline.extend(deadline.monotonic() - started)

    def _send_body(self, data: bytes, deadline: Deadline) -> None:
        """Send a part of a body; a broken connection may still hold an early answer."""
        try:
            self._send(data, deadline, limit=deadline.limits.body_idle)
        except UpstreamBroken:
            self._early = self._answer(deadline)
            raise _AnsweredEarly from None

    def _send(self, data: bytes, deadline: Deadline, limit: float | None = None) -> None:
        """Send all of the data. While the upstream takes none, an answer is looked for.

        `limit` is that of a body, whose time has limits of its own.
        """
        rest = memoryview(data)
        since = deadline.monotonic()

        while rest:
            try:
                self._sock.settimeout(0.0)
                count = self._sock.send(rest)
            except WOULD_BLOCK:
                self._wait_to_send(since, deadline, limit)
                continue
            except OSError as error:
                raise self._broken(error) from error

            self._sent += count
            rest = rest[count:]
            since = deadline.monotonic()

    def _wait_to_send(self, since: float, deadline: Deadline, limit: float | None) -> None:
        poll = select.poll()
        poll.register(self._sock.fileno(), select.POLLIN | select.POLLOUT)
        waited = deadline.monotonic() - since

        if limit is None:
            wait = deadline.remaining(at_most=deadline.limits.read - waited)
        elif (wait := limit - waited) <= 0:
            raise UpstreamTimeout("The chat provider took no more of the body in time.")

        events = poll.poll(min(wait, CHECK_CALLER_EVERY) * 1000)

        if not events:
            deadline.check_caller()
        elif events[0][1] & select.POLLIN:
            self.look()

    def _answer(self, deadline: Deadline) -> h11.Response:
        """Wait for the final answer's head; 1xx is never the answer (RFC 9110 section 15.2)."""
        while not isinstance(event := self._next(), h11.Response):
            if event is h11.NEED_DATA:
                self._take(self._receive(deadline.limits.read, deadline))
            else:
                time.sleep(0)  # a storm of them must not hold up the worker's other requests

        return event

    def _next(self) -> h11.Event | type[h11.PAUSED] | type[h11.NEED_DATA]:
        try:
            event = self._h11.next_event()
        except h11.RemoteProtocolError as error:
            raise UpstreamBroken(
                "The chat provider's answer is not valid HTTP.",
                detail=str(error),
                answer_begun=self._received > 0,
            ) from error

        if isinstance(event, h11.ConnectionClosed):
            raise UpstreamBroken(
                "The connection to the chat provider broke.", answer_begun=self._received > 0
            )

        if isinstance(event, h11.Response) and (oddity := oddity_of(event)):
            raise UpstreamBroken(
                "The chat provider's answer is not valid HTTP.", detail=oddity, answer_begun=True
            )

        return event

    def _receive(self, limit: float, deadline: Deadline) -> bytes:
        """Wait for bytes, in slices, so that a caller who left is noticed meanwhile."""
        give_up = deadline.monotonic() + limit

        while True:
            left = deadline.remaining(at_most=give_up - deadline.monotonic())
            self._sock.settimeout(min(left, CHECK_CALLER_EVERY))

            try:
                return self._sock.recv(PIECE)
            except TimeoutError:
                deadline.check_caller()
            except OSError as error:
                raise self._broken(error) from error

    def _take(self, data: bytes) -> None:
        self._received += len(data)
        self._h11.receive_data(data)

    def _broken(self, error: OSError) -> UpstreamBroken:
        return UpstreamBroken(
            "The connection to the chat provider broke.",
            detail=str(error.strerror or error),
            nothing_sent=self._sent == 0,
            answer_begun=self._received > 0,
        )
