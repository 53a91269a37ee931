"""The connection of the one who asked: is anybody still there, and how is it let go?

A caller that only closed its sending side still wants its answer, and on the wire
that looks the same as having left: a FIN in both cases. Where both ends are on
this machine, as in a sidecar, the kernel knows more: it is asked whether the
other end still belongs to a process. See decision 0004.
"""

import contextlib
import errno
import ipaddress
import socket
import struct
from collections.abc import Callable

#: State of a connection that was reset (tcp_states.h). Unread data does not hide it, as it
#: would from a read.
CLOSED = 7

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
NLMSG_ERROR = 2
ALL_STATES = 0xFFFFFFFF
NO_COOKIE = 0xFFFFFFFF

NETLINK_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
DIAG_REQUEST = struct.Struct("=BBBBI")  # family, protocol, extensions, padding, states
DIAG_SOCKET_TAIL = struct.Struct("=III")  # interface, cookie
#: Family to retransmits (4), socket id (48), expiry, queues and user (16), inode.
INODE_OFFSET = NETLINK_HEADER.size + 4 + 48 + 16

RESET_ON_CLOSE = struct.pack("ii", 1, 0)

#: Seconds that a closing connection may still send, and bytes: enough for the
#: answer to be read before the rest of an unwanted upload meets a reset.
LINGER = 2.0
LINGER_BYTES = 16 * 1024 * 1024

READ_AT_ONCE = 64 * 1024


class Caller:
    """One caller's socket. Without a socket nobody can be seen to leave."""

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

        # The peer is asked about in every state: behind what it could not send any more,
        # its FIN does not come through.
        return state == CLOSED or _belongs_to_nobody(self._sock)

    def limit_writes(self, seconds: float | None) -> None:
        """Bound each write to the caller; None is the server's own state: no limit."""
        if self._sock is not None:
            with contextlib.suppress(OSError):  # closed: there is nothing left to bound
                self._sock.settimeout(seconds)

    def linger(self, monotonic: Callable[[], float]) -> None:
        """Let the caller read its answer while it may still be sending what nobody reads."""
        if self._sock is not None:
            linger(self._sock, monotonic)

    def reset(self) -> None:
        """Break the connection with a RST, so that what arrived cannot pass for the whole.

        Needed where the answer has no length: there the end of the connection is
        the end of the answer.
        """
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
    """Close the sending side and take in what the caller still sends, within bounds.

    Closed at once, unread bytes would make the system send a reset, and the caller
    could lose the answer that is on its way (RFC 9112 section 9.6).
    """
    until = monotonic() + seconds
    taken = 0

    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)

        while (left := until - monotonic()) > 0 and taken < most:
            sock.settimeout(left)

            if not (data := sock.recv(READ_AT_ONCE)):
                return

            taken += len(data)


def _belongs_to_nobody(sock: socket.socket) -> bool:
    """Ask the kernel whether the other end of a local connection has no process.

    False where it cannot be known: the peer is on another machine, or the kernel
    does not answer such questions.
    """
    try:
        inode = _peer_inode(sock)
    except (OSError, ValueError, struct.error):
        return False

    return inode == 0


def _peer_inode(sock: socket.socket) -> int:
    """Look the peer's socket up by its addresses (sock_diag(7)); 0 means orphaned."""
    family, question = _question(sock)
    request = DIAG_REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, ALL_STATES) + question
    length = NETLINK_HEADER.size + len(request)
    header = NETLINK_HEADER.pack(length, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0)

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(0.1)
        kernel.send(header + request)
        answer = kernel.recv(4096)

    if NETLINK_HEADER.unpack_from(answer)[1] == NLMSG_ERROR:
        raise OSError(errno.ENOENT, "no such socket on this machine")

    return int(struct.unpack_from("=I", answer, INODE_OFFSET)[0])


def _question(sock: socket.socket) -> tuple[int, bytes]:
    """Describe the peer's socket: its own address first, then ours."""
    (peer_host, peer_port), (host, port) = sock.getpeername()[:2], sock.getsockname()[:2]
    ends = [ipaddress.ip_address(end) for end in (peer_host, host)]
    mapped = [getattr(end, "ipv4_mapped", None) or end for end in ends]
    family = socket.AF_INET if mapped[0].version == 4 else socket.AF_INET6
    addresses = b"".join(end.packed.ljust(16, b"\0") for end in mapped)
    ports = struct.pack("!HH", peer_port, port)
    return family, ports + addresses + DIAG_SOCKET_TAIL.pack(0, NO_COOKIE, NO_COOKIE)
