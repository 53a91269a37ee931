"""The caller's connection: is anybody still there, and how is it closed?

A caller that has only closed its sending side still wants its answer, but on the wire that looks
like having left: both send a FIN. With both ends on this machine, as in a sidecar, the kernel
knows more: whether the other end still belongs to a process. See decision 0004.
"""

import contextlib
import errno
import ipaddress
import socket
import struct
from collections.abc import Callable

from chatproxy.server.waits import WAITS, What

#: TCP_CLOSE in tcp_states.h: the connection was reset. A read would not show that before all the
#: data in front of it is read; the state does.
CLOSED = 7

# From netlink(7) and sock_diag(7).
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
NLMSG_ERROR = 2
ALL_STATES = 0xFFFFFFFF
NO_COOKIE = 0xFFFFFFFF

NETLINK_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
DIAG_REQUEST = struct.Struct("=BBBBI")  # family, protocol, extensions, padding, states
DIAG_SOCKET_TAIL = struct.Struct("=III")  # interface, cookie
#: Where `idiag_inode` lies in `struct inet_diag_msg`: behind family to retransmits (4), socket id
#: (48), and expiry, queues and user (16).
INODE_OFFSET = NETLINK_HEADER.size + 4 + 48 + 16

#: SO_LINGER with a time of 0: close(2) discards what is unsent and resets (socket(7), tcp(7)).
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

#: Seconds and bytes for which a closing connection may still send: enough for the caller to read
#: its answer before the rest of an unwanted upload meets a reset.
LINGER = 2.0
LINGER_BYTES = 16 * 1024 * 1024

READ_AT_ONCE = 64 * 1024


class Caller:
    """One caller's socket, None under another server than gunicorn: nobody seems to leave then."""

    def __init__(self, sock: socket.socket | None) -> None:
        self._sock = sock

    def has_left(self) -> bool:
        """Say whether the caller has certainly closed its connection."""
        if self._sock is None:
            return False

        try:
            (state,) = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        except OSError:
            return True

        # In any state, not only after a FIN: while our receive buffer is full the caller's FIN
        # waits behind the data that it could not send any more.
        return state == CLOSED or _peer_is_orphaned(self._sock)

    def linger(self, monotonic: Callable[[], float]) -> None:
        """Close in a way that lets a caller who is still sending read its answer."""
        if self._sock is not None:
            linger(self._sock, monotonic)

    def reset(self) -> None:
        """Break the connection with a RST, so that what arrived cannot pass for the whole."""
        # For answers without a length: the end of the connection is the end of such an answer
        # (RFC 9112 section 6.3), and a FIN would make a broken one complete.
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                self._sock.close()


def linger(
    sock: socket.socket,
    monotonic: Callable[[], float],
    *,
    seconds: float = LINGER,
    most: int = LINGER_BYTES,
) -> None:
    """Close the sending side, then read and discard what the caller still sends, within bounds."""
    # RFC 9112 section 9.6: on a close with unread bytes the system sends a reset, and that can
    # erase the answer in the caller's receive buffer before the caller has read it.
    until = monotonic() + seconds
    discarded = 0

    # Nobody has anything from its place any more: where connections run short it may end.
    with contextlib.suppress(OSError), WAITS.waiting(sock, What.READING):
        sock.shutdown(socket.SHUT_WR)

        while (left := until - monotonic()) > 0 and discarded < most:
            sock.settimeout(left)

            if not (data := sock.recv(READ_AT_ONCE)):
                return

            discarded += len(data)


def _peer_is_orphaned(sock: socket.socket) -> bool:
    try:
        return _peer_inode(sock) == 0
    except (OSError, ValueError, struct.error):
        # The peer is on another machine, or this kernel does not answer such questions. The time
        # limits have to do then.
        return False


def _peer_inode(sock: socket.socket) -> int:
    # See sock_diag(7). A socket without a process, which only the kernel still closes, has inode 0.
    family, socket_id = _peer_socket_id(sock)
    request = DIAG_REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, ALL_STATES) + socket_id
    length = NETLINK_HEADER.size + len(request)
    header = NETLINK_HEADER.pack(length, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0)

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(0.1)
        kernel.send(header + request)
        answer = kernel.recv(4096)

    if NETLINK_HEADER.unpack_from(answer)[1] == NLMSG_ERROR:
        raise OSError(errno.ENOENT, "no such socket on this machine")

    return int(struct.unpack_from("=I", answer, INODE_OFFSET)[0])


def _peer_socket_id(sock: socket.socket) -> tuple[int, bytes]:
    # `struct inet_diag_sockid`, seen from the peer: its own address first, then ours.
    (peer_host, peer_port), (host, port) = sock.getpeername()[:2], sock.getsockname()[:2]
    ends = [ipaddress.ip_address(end) for end in (peer_host, host)]
    # On a dual-stack listener an IPv4 caller shows as ::ffff:a.b.c.d, but the kernel keeps the
    # caller's own socket under IPv4.
    mapped = [getattr(end, "ipv4_mapped", None) or end for end in ends]
    family = socket.AF_INET if mapped[0].version == 4 else socket.AF_INET6
    addresses = b"".join(end.packed.ljust(16, b"\0") for end in mapped)
    ports = struct.pack("!HH", peer_port, port)
    return family, ports + addresses + DIAG_SOCKET_TAIL.pack(0, NO_COOKIE, NO_COOKIE)
