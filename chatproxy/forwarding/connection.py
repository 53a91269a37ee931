"""One HTTP/1.1 connection to an upstream.

`answers` reads what comes and refuses what is not HTTP. Here is the waiting: every wait has a limit
and notices when the caller leaves, and an upload notices an early answer.

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

from chatproxy.errors import AnswerBroken, UpstreamBroken, UpstreamTimeout
from chatproxy.forwarding.answers import AnswerReader, Head
from chatproxy.forwarding.body import PIECE, TURN, CallerBody, work
from chatproxy.forwarding.keep_alive import promised
from chatproxy.forwarding.timeouts import Deadline
from chatproxy.turns import Turns

#: What a non-blocking socket raises when it has to wait. TLS may have to write in order to read,
#: and the reverse (Python's `ssl`, "Notes on non-blocking sockets").
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


#: The first status of an answer that is final; those below are interim (RFC 9110 section 15).
FINAL = 200
#: Ends a chunked body without a trailer (RFC 9112 section 7.1).
LAST_CHUNK = b"0\r\n\r\n"

#: The status of an answer after which another protocol is spoken (RFC 9110 section 15.2.2).
SWITCHING = 101


class _AnsweredEarly(Exception):
    """The answer began before the upload ended."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head


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
        self._begin(AnswerReader())
        self.reused = False
        self.idle_since = -math.inf
        self.longest_idle = math.inf
        self._further = math.inf

    def exchange(
        self, head: bytes, body: CallerBody | None, deadline: Deadline, *, switching: bool = False
    ) -> Head:
        """Send a request; return the head of the final answer.

        With `switching` that may be a 101, after which the connection is whatever was agreed upon.
        Raises `UpstreamBroken`, `UpstreamTimeout`, `CallerLeft`, and what reading the caller's
        body raises. After an error the connection must be closed.
        """
        self._begin(AnswerReader(to_head=head.startswith(b"HEAD "), switching=switching))

        try:
            # A head does not wait for the body's first piece: the provider can refuse early.
            self._send(head + body.read_small() if body is not None else head, deadline)

            if body is not None and not body.ended:
                self._upload(body, deadline)
        except _AnsweredEarly as early:
            return early.head

        self._is_sent = True
        return self._answer(deadline)

    def switched(self) -> tuple[socket.socket, bytes]:
        """Return the socket, and what has arrived behind the 101."""
        return self._sock, self._reader.surplus()

    def pieces(self, deadline: Deadline) -> Iterator[bytes]:
        """Yield the answer's body as it comes; raise `AnswerBroken` if it breaks off."""
        # An empty piece makes `server.response` send the head. It goes out with the first piece
        # where that has arrived already, and by itself where the body is still awaited.
        deadline.start_body()
        head_is_out = False
        turns = Turns(TURN)

        try:
            while (piece := self._reader.piece()) != b"":
                if piece or not head_is_out:
                    yield piece or b""
                    head_is_out = True

                if piece is None:
                    self._reader.feed(self._receive(deadline.limits.body_idle, deadline))
                else:
                    turns.count(work(piece))
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
        # Both sides have to be done: an early answer leaves a request that was not sent whole.
        self.reused = self._is_sent and self._reader.can_be_followed and self._further > 0
        self._begin(AnswerReader())  # an idle connection keeps no bytes of its last answer
        return self.reused

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
        return self._was_awaited and not self._reader.received

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
            self._reader.feed(self._sock.recv(PIECE))
        except WOULD_BLOCK:
            return
        except OSError as error:
            raise self._broken(error) from error

        while (head := self._next_head()) is not None:
            if head.status >= FINAL:
                raise _AnsweredEarly(head)

            time.sleep(0)  # as in `_answer`

    def _begin(self, reader: AnswerReader) -> None:
        self._reader = reader
        self._sent = 0
        self._is_sent = False
        self._was_awaited = False

    def _upload(self, body: CallerBody, deadline: Deadline) -> None:
        started = deadline.monotonic()

        # A slow upload is the caller's time, not the provider's. It has the limits of a body, and
        # the total limit on the answer moves by as much.
        while piece := body.read(watched=self):
            deadline.extend(deadline.monotonic() - started)
            started = deadline.monotonic()
            self.on_readable()
            self._send_body(_chunk(piece) if body.length is None else piece, deadline)

        if body.length is None:
            self._send_body(LAST_CHUNK, deadline)

        deadline.extend(deadline.monotonic() - started)

    def _send_body(self, data: bytes, deadline: Deadline) -> None:
        try:
            self._send(data, deadline, limit=deadline.limits.body_idle)
        except UpstreamBroken:
            # A server that answers early and closes breaks our write, while its answer still
            # lies in our receive buffer.
            raise _AnsweredEarly(self._answer(deadline)) from None

    def _send(self, data: bytes, deadline: Deadline, limit: float | None = None) -> None:
        # `limit` bounds each wait within a body; a head has those of the deadline.
        rest: bytes | memoryview = data
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

            if count == len(rest):
                return

            rest = memoryview(rest)[count:]
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

    def _answer(self, deadline: Deadline) -> Head:
        # A 1xx is never the final answer (RFC 9110 section 15.2), and PEP 3333 has no way to pass
        # one on. A 101 that nobody has asked for is refused by the reader.
        while True:
            if (head := self._next_head()) is None:
                self._reader.feed(self._receive(deadline.limits.read, deadline))
            elif head.status >= FINAL or head.status == SWITCHING:
                return head
            else:
                time.sleep(0)  # thousands of them must not block the worker's other requests

    def _next_head(self) -> Head | None:
        head = self._reader.head()

        if head is not None and head.status >= FINAL:
            seconds, further = promised(head.fields)
            self.longest_idle = min(self.longest_idle, seconds)
            # A server may count down, or say the same each time.
            self._further = min(self._further - 1, further)

        return head

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

    def _broken(self, error: OSError) -> UpstreamBroken:
        return UpstreamBroken(
            "The connection to the chat provider broke.",
            detail=str(error.strerror or error),
            nothing_sent=self._sent == 0,
            answer_begun=self._reader.received > 0,
        )


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)
