"""Text messages on a WebSocket (RFC 6455) whose handshake is done."""

import socket
from collections.abc import Callable

from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.frame_protocol import CloseReason

from chatproxy.providers.imkit.sockets.frames import Frames, SocketClosed

#: Characters or bytes of a message. A token has at most some thousand.
LONGEST = 64 * 1024


class WebSocket(Frames):
    """A client's connection, message by message."""

    def __init__(self, sock: socket.socket, monotonic: Callable[[], float]) -> None:
        super().__init__(sock, monotonic)
        self._pieces: list[str] = []
        self._length = 0

    def receive(self, until: float) -> str | None:
        """Return the next text, or None if there is none by then; raise `SocketClosed`.

        Binary messages are dropped, because no event here takes any.
        """
        while (event := self.next_event(until)) is not None:
            if (text := self._handle_frame(event)) is not None:
                return text

        return None

    def send(self, text: str) -> None:
        """Send a text; raise `SocketClosed` if the client does not take it."""
        self.write(TextMessage(data=text))

    def _handle_frame(self, event: Event) -> str | None:
        """Process a frame; return the text that it completes, if any; raise `SocketClosed`."""
        if isinstance(event, Ping):
            self.write(event.response())
        elif isinstance(event, CloseConnection):
            raise SocketClosed("caller" if self.has_left else "protocol", event.code)
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
