"""Frames of RFC 6455 on a connection whose handshake is done.

They are read only when the next one is asked for, so a peer that sends too fast has to wait and
fills no memory. No extension such as compression is negotiated, so a message is no longer than
the bytes that carried it.
"""

import contextlib
import math
import socket
import threading
import time
from collections.abc import Callable

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Event
from wsproto.utilities import LocalProtocolError

from chatproxy.server.caller import linger

#: Seconds that a write may take. It is slow only if the peer does not read.
WRITE_LIMIT = 10.0

#: Seconds that a write under way may still take when the socket must end.
LAST_WRITE = 0.2

#: Seconds, and bytes, that a client may still send after the close frame.
LINGER = 1.0
LINGER_BYTES = 4 * 1024 * 1024


class SocketClosed(Exception):
    """The socket ends.

    `ended_by` is for the log. `code` is for the close frame (RFC 6455 section 7.4.1), or None
    if the peer is gone. `reason` is for whoever reads that frame.
    """

    def __init__(self, ended_by: str, code: int | None, reason: str = "") -> None:
        super().__init__(ended_by)
        self.ended_by = ended_by
        self.code = code
        self.reason = reason


class Frames:
    """One connection. Other threads than those that serve it may use only `interrupt`.

    `peer` is what the log calls the other side, and `gone` the code for whoever is left when that
    breaks off.
    """

    peer = "caller"
    gone: int | None = None

    def __init__(
        self,
        sock: socket.socket,
        monotonic: Callable[[], float],
        kind: ConnectionType = ConnectionType.SERVER,
        arrived: bytes = b"",
        read_at_once: int = 16 * 1024,
    ) -> None:
        self._sock = sock
        self._monotonic = monotonic
        self._frames = Connection(kind, trailing_data=arrived)
        self._read_at_once = read_at_once
        self._writing = threading.Lock()
        self._interruption: SocketClosed | None = None
        self._interrupted = 0.0
        self._write_began = math.inf

    @property
    def has_left(self) -> bool:
        """Say whether the peer has said goodbye, and is not only refused for what it sent."""
        return self._frames.state is ConnectionState.REMOTE_CLOSING

    def next_event(self, until: float) -> Event | None:
        """Return the next event, or None if there is none by then; raise `SocketClosed`."""
        while True:
            if self._interruption is not None:
                raise self._interruption

            for event in self._frames.events():
                time.sleep(0)  # lets other greenlets run, however fast the frames come
                return event

            if not (data := self._read(until)):
                return None

            self._frames.receive_data(data)

    def write(self, event: Event) -> None:
        """Send a frame; raise `SocketClosed` if the peer does not take it."""
        # Two may write at once, and one that waits is in the middle of a frame.
        with self._writing:
            self._write_began = self._monotonic()

            try:
                self._sock.settimeout(WRITE_LIMIT)
                self._sock.sendall(self._frames.send(event))
            except (OSError, LocalProtocolError) as error:
                raise self._broken() from error
            finally:
                self._write_began = math.inf

    def say_goodbye(self, code: int, reason: str = "") -> None:
        """Send a close frame, if that is still possible."""
        with contextlib.suppress(SocketClosed):
            self.write(CloseConnection(code=code, reason=reason or None))

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame, and close the connection."""
        self.say_goodbye(code, reason)
        # Closing with unread input sends a reset, which may reach the peer before the frame.
        linger(self._sock, self._monotonic, seconds=LINGER, most=LINGER_BYTES)

    def interrupt(self, closed: SocketClosed) -> None:
        """Make the current or next `next_event` raise this; called from any thread.

        Called again later, it also cuts a write under way.
        """
        now = self._monotonic()

        with contextlib.suppress(OSError):
            if self._interruption is None:
                self._interruption, self._interrupted = closed, now
                self._shut(socket.SHUT_RD)
            elif now - max(self._interrupted, self._write_began) > LAST_WRITE:
                # Only a write that waits: where many end at once the goodbyes take their time.
                self._shut(socket.SHUT_RDWR)

    def _shut(self, how: int) -> None:
        # The method of a TLS socket ends TLS: what is sent after it would go out readable.
        socket.socket.shutdown(self._sock, how)

    def _read(self, until: float) -> bytes:
        left = until - self._monotonic()

        if left <= 0:
            return b""

        try:
            self._sock.settimeout(None if left == math.inf else left)
            data = self._sock.recv(self._read_at_once)
        except TimeoutError:
            return b""
        except OSError as error:
            # As gevent says it of TLS. The limit may be that of a write which began meanwhile.
            if "timed out" in str(error):
                return b""

            data = b""

        if not data:
            raise self._broken()

        return data

    def _broken(self) -> SocketClosed:
        return self._interruption or SocketClosed(self.peer, self.gone)
