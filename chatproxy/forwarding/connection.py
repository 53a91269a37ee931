"""One HTTP/1.1 connection to an upstream.

h11 reads and writes the messages and refuses what is not HTTP. The waiting is ours: every wait
has a limit and notices when the caller leaves, and an upload notices an early answer.

`http.client`, below urllib3, would not do. It takes `103 Early Hints` for the final answer, and
where a header line lacks its colon it drops the fields after it, `Content-Length` among them.
"""

import contextlib
import math
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator

import h11

from chatproxy.errors import AnswerBroken, UpstreamBroken, UpstreamTimeout
from chatproxy.forwarding.body import PIECE, CallerBody
from chatproxy.forwarding.headers import LARGEST_HEAD, defect_in
from chatproxy.forwarding.keep_alive import promised
from chatproxy.forwarding.timeouts import Deadline

#: What a non-blocking socket raises when it has to wait. TLS may have to write in order to read,
#: and the reverse (Python's `ssl`, "Notes on non-blocking sockets").
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


#: The status of an answer after which another protocol is spoken (RFC 9110 section 15.2.2).
SWITCHING = 101


class _AnsweredEarly(Exception):
    """The answer began before the upload ended."""


def _do_nothing() -> None:
    pass


class Connection:
    """A connected socket and the state of the messages on it.

    `opened_at` and `idle_since` are moments of the monotonic clock. `longest_idle` are the seconds
    after which the upstream may close it. `on_close` is called once.
    """

    def __init__(
        self, sock: socket.socket, opened_at: float, on_close: Callable[[], None] = _do_nothing
    ) -> None:
        self._sock = sock
        self._on_close = on_close
        self.opened_at = opened_at
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        self._early: h11.Response | None = None
        self._sent = 0
        self._received = 0
        self._was_awaited = False
        self.reused = False
        self.idle_since = -math.inf
        self.longest_idle = math.inf
        self._further = math.inf

    def exchange(
        self, request: h11.Request, body: CallerBody | None, deadline: Deadline
    ) -> h11.Response:
        """Send a request; return the head of the final answer.

        Raises `UpstreamBroken`, `UpstreamTimeout`, `CallerLeft`, and what reading the caller's
        body raises. After an error the connection must be closed.
        """
        self._sent = self._received = 0
        self._was_awaited = False
        head = self._h11.send(request) or b""

        if body is None:
            self._send(head + (self._h11.send(h11.EndOfMessage()) or b""), deadline)
            return self._answer(deadline)

        with contextlib.suppress(_AnsweredEarly):
            self._upload(head, body, deadline)

        return self._early or self._answer(deadline)

    def switch(
        self, request: h11.Request, deadline: Deadline
    ) -> h11.InformationalResponse | h11.Response:
        """Ask for another protocol; return the head of the 101, or of the answer in its place.

        Raises as `exchange` does. After a 101 the connection is whatever was agreed upon.
        """
        self._sent = self._received = 0
        head = self._h11.send(request) or b""
        self._send(head + (self._h11.send(h11.EndOfMessage()) or b""), deadline)

        while not isinstance(event := self._next(), h11.Response):
            # h11 refuses a 101 that nobody has asked for. All other 1xx are no answers.
            if isinstance(event, h11.InformationalResponse) and event.status_code == SWITCHING:
                return event

            if event is h11.NEED_DATA:
                self._feed(self._receive(deadline.limits.read, deadline))
            else:
                time.sleep(0)  # as in `_answer`

        return event

    def switched(self) -> tuple[socket.socket, bytes]:
        """Return the socket, and what has arrived behind the 101."""
        return self._sock, bytes(self._h11.trailing_data[0])

    def pieces(self, deadline: Deadline) -> Iterator[bytes]:
        """Yield the answer's body as it comes; raise `AnswerBroken` if it breaks off."""
        # An empty piece makes `server.response` send the head. It goes out with the first piece
        # where that has arrived already, and by itself where the body is still awaited.
        deadline.start_body()
        head_is_out = False

        try:
            while not isinstance(event := self._next(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
                    head_is_out = True
                elif event is h11.NEED_DATA:
                    if not head_is_out:
                        yield b""
                        head_is_out = True

                    self._feed(self._receive(deadline.limits.body_idle, deadline))
        except (UpstreamBroken, UpstreamTimeout) as error:
            if not head_is_out:
                # Were the head still unsent, gunicorn would answer 500 in its place, and the
                # caller would not learn the provider's status.
                yield b""

            raise AnswerBroken(
                "The chat provider's answer broke off.", detail=error.detail or error.message
            ) from error

    def make_ready(self) -> bool:
        """Prepare for another request; False if the connection cannot take one."""
        # Both sides have to be done: `Connection: close` and an answer that ends with the
        # connection leave h11 in another state. Bytes after the answer must not be taken for the
        # next one (RFC 9112 section 6.3).
        done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE

        if not done or self._h11.trailing_data[0] or self._further <= 0:
            return False

        self._h11.start_next_cycle()
        self._early = None
        self.reused = True
        return True

    def is_silent(self) -> bool:
        """Say whether an idle connection is still open and has received nothing."""
        # Data without a request is no answer to anything (RFC 9112 section 9.2). It is read, not
        # polled for: with TLS a readable socket may hold only a new session ticket (RFC 8446
        # section 4.6.1), which is no reason to drop the connection.
        try:
            self._sock.settimeout(0.0)
            self._sock.recv(1)
        except WOULD_BLOCK:
            return True
        except OSError:
            return False

        return False

    @property
    def fell_silent(self) -> bool:
        """Say whether nothing has come back in this exchange, though it was waited for."""
        return self._was_awaited and not self._received

    def close(self) -> None:
        """Close the connection in any state. A message under way stays incomplete."""
        with contextlib.suppress(OSError):
            self._sock.close()

        self._on_close()
        self._on_close = _do_nothing

    def fileno(self) -> int:
        """Return the descriptor, for polling while the caller's body is awaited."""
        return self._sock.fileno()

    def on_readable(self) -> None:
        """Read what the upstream sends during the upload; raise if it is an answer."""
        # RFC 9112 section 9.5: whoever sends a body should watch for an error answer, and stop
        # sending when it comes. A 413 would otherwise wait for an upload of a gigabyte.
        self._sock.settimeout(0.0)

        try:
            self._feed(self._sock.recv(PIECE))
        except WOULD_BLOCK:
            return
        except OSError as error:
            raise self._broken(error) from error

        while (event := self._next()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                self._early = event
                raise _AnsweredEarly

            time.sleep(0)  # as in `_answer`

    def _upload(self, head: bytes, body: CallerBody, deadline: Deadline) -> None:
        # The head does not wait for the body's first piece: the provider can refuse early.
        self._send(head, deadline)
        started = deadline.monotonic()

        # A slow upload is the caller's time, not the provider's. It has the limits of a body, and
        # the total limit on the answer moves by as much.
        while piece := body.read(watched=self):
            deadline.extend(deadline.monotonic() - started)
            started = deadline.monotonic()
            self.on_readable()
            self._send_body(self._h11.send(h11.Data(data=piece)) or b"", deadline)

        self._send_body(self._h11.send(h11.EndOfMessage()) or b"", deadline)
        deadline.extend(deadline.monotonic() - started)

    def _send_body(self, data: bytes, deadline: Deadline) -> None:
        try:
            self._send(data, deadline, limit=deadline.limits.body_idle)
        except UpstreamBroken:
            # A server that answers early and closes breaks our write, while its answer still
            # lies in our receive buffer.
            self._early = self._answer(deadline)
            raise _AnsweredEarly from None

    def _send(self, data: bytes, deadline: Deadline, limit: float | None = None) -> None:
        # `limit` bounds each wait within a body; a head has those of the deadline.
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

        events = poll.poll(min(wait, deadline.check_every) * 1000)

        if not events:
            self._was_awaited = True
            deadline.check_caller()
        elif events[0][1] & select.POLLIN:
            # Before more is written. A provider that sends and no longer reads would otherwise
            # wait for us while we wait for it.
            self.on_readable()

    def _answer(self, deadline: Deadline) -> h11.Response:
        # A 1xx is never the final answer (RFC 9110 section 15.2), and PEP 3333 has no way to pass
        # one on. h11 has an event of its own for them.
        while not isinstance(event := self._next(), h11.Response):
            if event is h11.NEED_DATA:
                self._feed(self._receive(deadline.limits.read, deadline))
            else:
                time.sleep(0)  # thousands of them must not block the worker's other requests

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

        if isinstance(event, h11.Response) and (defect := defect_in(event)):
            raise UpstreamBroken(
                "The chat provider's answer is not valid HTTP.", detail=defect, answer_begun=True
            )

        if isinstance(event, h11.Response):
            self._note_promise(event)

        return event

    def _note_promise(self, head: h11.Response) -> None:
        seconds, further = promised(head.headers.raw_items())
        self.longest_idle = min(self.longest_idle, seconds)
        # A server may count down, or say the same each time.
        self._further = min(self._further - 1, further)

    def _receive(self, limit: float, deadline: Deadline) -> bytes:
        # In slices, to notice between them that the caller has left. The limit is on the whole
        # wait, and the deadline on all of them: a read timeout alone starts anew with every byte,
        # so a provider that sends one byte a second would never meet it.
        give_up = deadline.monotonic() + limit

        while True:
            left = deadline.remaining(at_most=give_up - deadline.monotonic())
            self._sock.settimeout(min(left, deadline.check_every))

            try:
                return self._sock.recv(PIECE)
            except TimeoutError:
                self._was_awaited = True
                deadline.check_caller()
            except OSError as error:
                raise self._broken(error) from error

    def _feed(self, data: bytes) -> None:
        # No bytes tell h11 that the peer has closed: it then knows whether the message was whole.
        self._received += len(data)
        self._h11.receive_data(data)

    def _broken(self, error: OSError) -> UpstreamBroken:
        return UpstreamBroken(
            "The connection to the chat provider broke.",
            detail=str(error.strerror or error),
            nothing_sent=self._sent == 0,
            answer_begun=self._received > 0,
        )
