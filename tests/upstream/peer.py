"""What faults do to a connection below HTTP: wait for its peer, and reset it."""

import select
import socket
import struct
import time

from sandbox.wire import PeerLeft

FOR_EVER = 86_400.0
# Linux tells of a half-closed peer without reading; elsewhere only the full close is seen.
PEER_GONE = getattr(select, "POLLRDHUP", select.POLLHUP)


def wait(sock: socket.socket, seconds: float) -> None:
    """Sleep, but raise PeerLeft as soon as the other side is gone."""
    poll = select.poll()
    poll.register(sock, PEER_GONE)
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if poll.poll(min(left, 0.05) * 1000):
            raise PeerLeft("closed while waiting")


def reset_when_closed(sock: socket.socket) -> None:
    """Let the socket end with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
