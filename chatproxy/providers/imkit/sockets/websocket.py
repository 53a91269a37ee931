"""Text messages on a WebSocket (RFC 6455) whose handshake is done.

Frames are read only when the next message is asked for, so a client that sends too fast has
to wait and fills no memory. No extension such as compression is negotiated, so a message is
no longer than the bytes that carried it.
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

#: Characters or bytes of a message. A token has at most some thousand.
LONGEST = 64 * 1024

READ_AT_ONCE = 16 * 1024

#: Seconds that a write may take. It is slow only if the client does not read.
WRITE_LIMIT = 10.0

#: Seconds that a write under way may still take when the socket must end.
LAST_WRITE = 0.2

#: Seconds, and bytes, that a client may still send after the close frame.
LINGER = 1.0
LINGER_BYTES = 4 * 1024 * 1024


class SocketClosed(Exception):
    """The socket ends.

    `ended_by` is for the log. `code` is for the close frame (RFC 6455 section 7.4.1), or None
    if the client is gone.
    """

    def __init__(self, ended_by: str, code: int | None) -> None:
        super().__init__(ended_by)
        self.ended_by = ended_by
        self.code = code


class WebSocket:
    """One connection. Other threads than the one that serves it may use only `interrupt`."""

    def __init__(self, sock: socket.socket, monotonic: Callable[[], float]) -> None:
        self._sock = sock
        self._monotonic = monotonic
        self._frames = Connection(ConnectionType.SERVER)
        self._pieces: list[str] = []
        self._length = 0
        self._interruption: SocketClosed | None = None
        self._interrupted = 0.0

    def receive(self, until: float) -> str | None:
        """Return the next text, or None if there is none by then; raise `SocketClosed`.

        Binary messages are dropped, because no event here takes any.
        """
        while True:
            if self._interruption is not None:
                raise self._interruption

            for event in self._frames.events():
                text = self._handle_frame(event)
                time.sleep(0)  # lets other greenlets run, however fast the frames come

                if text is not None:
                    return text

            if not (data := self._read(until)):
                return None

            self._frames.receive_data(data)

    def send(self, text: str) -> None:
        """Send a text; raise `SocketClosed` if the client does not take it."""
        self._write(TextMessage(data=text))

    def close(self, code: int) -> None:
        """Send a close frame, and close the connection."""
        with contextlib.suppress(SocketClosed, LocalProtocolError):
            self._write(CloseConnection(code=code))

        # Closing with unread input sends a reset, which may reach the client before the frame.
        linger(self._sock, self._monotonic, seconds=LINGER, most=LINGER_BYTES)

    def interrupt(self, closed: SocketClosed) -> None:
        """Make the current or next `receive` raise this; called from any thread.

        Called again later, it also cuts a write under way.
        """
        now = self._monotonic()

        with contextlib.suppress(OSError):
            if self._interruption is None:
                self._interruption, self._interrupted = closed, now
                self._sock.shutdown(socket.SHUT_RD)
            elif now - self._interrupted > LAST_WRITE:
                self._sock.shutdown(socket.SHUT_RDWR)

    def _read(self, until: float) -> bytes:
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
            raise self._interruption or SocketClosed("caller", None)

        return data

    def _handle_frame(self, event: Event) -> str | None:
        """Process a frame; return the text that it completes, if any; raise `SocketClosed`."""
        if isinstance(event, Ping):
            self._write(event.response())
        elif isinstance(event, CloseConnection):
            left = self._frames.state is ConnectionState.REMOTE_CLOSING
            raise SocketClosed("caller" if left else "protocol", event.code)
        elif isinstance(event, TextMessage | BytesMessage):
            return self._message(event)

        return None

    def _message(self, event: TextMessage | BytesMessage) -> str | None:
        self._length += len(event.data) or 1  # a list of empty pieces takes memory too

        if self._length > LONGEST:
            raise SocketClosed("protocol", CloseReason.MESSAGE_TOO_BIG)

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
            raise self._interruption or SocketClosed("caller", None) from error
