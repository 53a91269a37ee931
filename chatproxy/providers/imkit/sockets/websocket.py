"""Messages on a connection that is a WebSocket from now on (RFC 6455): its upgrade was answered.

A frame is read when somebody asks for the next message: whoever sends faster than it is served
waits, and fills no memory here. No extension is agreed, so that a message is as long as it was
on its way.
"""

import contextlib
import socket
import time
from collections.abc import Callable

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from chatproxy.server.caller import linger

#: Characters, or bytes, of the longest message. A token is at most some thousand.
LONGEST = 64 * 1024

READ_AT_ONCE = 16 * 1024

#: Seconds that a write may take, which only a client that does not read makes slow.
WRITE_LIMIT = 10.0

#: Seconds that a write which is under way has left when the socket has to end.
LAST_WRITE = 0.2

#: Seconds in which a client may still send once it was told of the end, and bytes.
LINGER = 1.0
LINGER_BYTES = 4 * 1024 * 1024


class Over(Exception):
    """The socket ends: by whom, and what the client is told (RFC 6455 section 7.4.1).

    `code` is None where nobody hears it.
    """

    def __init__(self, ended_by: str, code: int | None) -> None:
        super().__init__(ended_by)
        self.ended_by = ended_by
        self.code = code


class WebSocket:
    """One connection. All but `interrupt` is for the one thread that serves it."""

    def __init__(self, sock: socket.socket, monotonic: Callable[[], float]) -> None:
        self._sock = sock
        self._monotonic = monotonic
        self._frames = Connection(ConnectionType.SERVER)
        self._pieces: list[str] = []
        self._length = 0
        self._interruption: Over | None = None
        self._interrupted = 0.0

    def receive(self, until: float) -> str | None:
        """Return the next text, None where none has come by then; raise `Over`.

        Binary messages are dropped: no event here takes any.
        """
        while True:
            if self._interruption is not None:
                raise self._interruption

            for event in self._frames.events():
                text = self._taken(event)
                time.sleep(0)  # frames without a pause must not hold up the worker's others

                if text is not None:
                    return text

            if not (data := self._read(until)):
                return None

            self._frames.receive_data(data)

    def send(self, text: str) -> None:
        """Send a text; raise `Over` where the client does not take it."""
        self._write(TextMessage(data=text))

    def close(self, code: int) -> None:
        """Tell the client the end, and take in what is on its way: else a reset could overtake."""
        with contextlib.suppress(Over, LocalProtocolError):
            self._write(CloseConnection(code=code))

        linger(self._sock, self._monotonic, seconds=LINGER, most=LINGER_BYTES)

    def interrupt(self, over: Over) -> None:
        """From any thread: have the next `receive`, or the present one, raise this.

        A write that is under way is cut where this is called again later.
        """
        now = self._monotonic()

        with contextlib.suppress(OSError):
            if self._interruption is None:
                self._interruption, self._interrupted = over, now
                self._sock.shutdown(socket.SHUT_RD)
            elif now - self._interrupted > LAST_WRITE:
                self._sock.shutdown(socket.SHUT_RDWR)

    def _read(self, until: float) -> bytes:
        """Return what came, nothing where nothing did in time; raise `Over`."""
        left = until - self._monotonic()

        if left <= 0:
            return b""

        try:
            self._sock.settimeout(left)
            data = self._sock.recv(READ_AT_ONCE)
        except TimeoutError:
            return b""
        except OSError:
            data = b""

        if not data:
            raise self._interruption or Over("caller", None)

        return data

    def _taken(self, event: Event) -> str | None:
        """Take a frame; return the text that is complete with it; raise `Over`."""
        if isinstance(event, Ping):
            self._write(event.response())
        elif isinstance(event, CloseConnection):
            left = self._frames.state is ConnectionState.REMOTE_CLOSING
            raise Over("caller" if left else "protocol", event.code)
        elif isinstance(event, TextMessage | BytesMessage):
            return self._message(event)

        return None

    def _message(self, event: TextMessage | BytesMessage) -> str | None:
        self._length += len(event.data) or 1  # many pieces with nothing in them take room too

        if self._length > LONGEST:
            raise Over("protocol", CloseReason.MESSAGE_TOO_BIG)

        if isinstance(event, TextMessage):
            self._pieces.append(event.data)

        if not event.message_finished:
            return None

        text = "".join(self._pieces)
        self._pieces, self._length = [], 0
        return text if isinstance(event, TextMessage) else None

    def _write(self, event: Event) -> None:
        try:
            self._sock.settimeout(WRITE_LIMIT)
            self._sock.sendall(self._frames.send(event))
        except OSError as error:
            raise self._interruption or Over("caller", None) from error
