"""One client's socket, from its first packet to its end."""

import contextlib
import dataclasses
import secrets
from collections.abc import Callable
from typing import NoReturn

from wsproto.frame_protocol import CloseReason

from chatproxy.providers.imkit.sockets import packets
from chatproxy.providers.imkit.sockets.dialogue import Dialogue
from chatproxy.providers.imkit.sockets.frames import SocketClosed
from chatproxy.providers.imkit.sockets.packets import Connect, Event, Packet, Signal
from chatproxy.providers.imkit.sockets.websocket import LONGEST, WebSocket

#: Random bytes of a socket's id, 20 characters in base64.
ID_BYTES = 15


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds for a client to authenticate, between two pings, and to answer one.

    `undisturbed` are those for which a client that has not authenticated keeps its place where
    all are taken.

    The times of the pings are the defaults of Engine.IO's own server.
    """

    authenticate: float = 10.0
    ping_every: float = 25.0
    pong_within: float = 20.0
    undisturbed: float = 3.0


class Session:
    """One socket. Other threads than the one that serves it may use `token` and `end`."""

    #: No other worker has anything to do with it.
    session: str | None = None

    def __init__(
        self,
        socket: WebSocket,
        dialogue: Dialogue,
        monotonic: Callable[[], float],
        times: Times,
    ) -> None:
        self._socket = socket
        self._dialogue = dialogue
        self._monotonic = monotonic
        self._times = times
        self._id = secrets.token_urlsafe(ID_BYTES)
        self._connected = False
        self._authenticate_until = monotonic() + times.authenticate
        self._undisturbed_until = monotonic() + times.undisturbed
        self._ping_at = monotonic() + times.ping_every
        self._pong_until: float | None = None

    @property
    def token(self) -> tuple[str, str] | None:
        """The app and the digest of the client's token; None before it has signed in."""
        bound = self._dialogue.bound
        return None if bound is None else (bound.user.app_id, bound.digest)

    def signed_in(self, token: tuple[str, str]) -> None:
        """Do nothing: clients sign in here alone."""

    def gives_way(self) -> bool:
        """Say whether another client may have its place: it has had the time to authenticate."""
        return self.token is None and self._monotonic() >= self._undisturbed_until

    def end(self, closed: SocketClosed) -> None:
        """End the session from any thread; called again later, it also cuts a write under way."""
        self._socket.interrupt(closed)

    def run(self) -> str:
        """Serve the socket until it ends; return who ended it."""
        try:
            self._serve()
        except SocketClosed as closed:
            self._close(closed)
            return closed.ended_by
        except ValueError:  # a packet that no client of Socket.IO sends
            self._socket.close(CloseReason.PROTOCOL_ERROR)
            return "protocol"

    def _serve(self) -> NoReturn:
        times = self._times
        opened = packets.open_packet(self._id, times.ping_every, times.pong_within, LONGEST)
        self._socket.send(opened)

        while True:
            text = self._socket.receive(self._next_deadline())
            self._check_time()

            if text is not None:
                self._handle(packets.read(text))

    def _next_deadline(self) -> float:
        heartbeat = self._ping_at if self._pong_until is None else self._pong_until
        return heartbeat if self.token else min(heartbeat, self._authenticate_until)

    def _check_time(self) -> None:
        """Send a ping when it is due; raise `SocketClosed` if the client is too late."""
        now = self._monotonic()

        if self.token is None and now >= self._authenticate_until:
            raise SocketClosed("nobody authenticated", CloseReason.POLICY_VIOLATION)

        if self._pong_until is not None and now >= self._pong_until:
            raise SocketClosed("silence", None)

        if self._pong_until is None and now >= self._ping_at:
            self._socket.send(packets.PING)
            self._pong_until = now + self._times.pong_within

    def _handle(self, packet: Packet) -> None:
        if packet is Signal.PONG:
            self._pong_until = None
            self._ping_at = self._monotonic() + self._times.ping_every
        elif isinstance(packet, Connect):
            self._connect(packet.namespace)
        elif isinstance(packet, Event):
            self._answer(packet)
        elif packet is Signal.DISCONNECT:
            raise SocketClosed("caller", CloseReason.NORMAL_CLOSURE)

    def _connect(self, namespace: str) -> None:
        if namespace != packets.MAIN:
            self._socket.send(packets.connect_error_packet(namespace))
            return

        self._connected = True
        self._socket.send(packets.connect_packet(self._id))

    def _answer(self, event: Event) -> None:
        if not self._connected or event.namespace != packets.MAIN:
            raise ValueError("an event of a namespace that the client is not in")

        answer = self._dialogue.answer(event)

        if event.id is not None:
            self._socket.send(packets.ack_packet(event.id, answer))

    def _close(self, closed: SocketClosed) -> None:
        if closed.code is None:
            return

        # Socket.IO's clients reconnect by themselves after a closed connection, but not after
        # a DISCONNECT packet.
        must_not_reconnect = (
            closed.code == CloseReason.POLICY_VIOLATION and closed.ended_by != "caller"
        )

        if self._connected and must_not_reconnect:
            with contextlib.suppress(SocketClosed):
                self._socket.send(packets.DISCONNECT)

        self._socket.close(closed.code)
