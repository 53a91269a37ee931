"""One client's socket from its first packet to its end."""

import contextlib
import dataclasses
import secrets
from collections.abc import Callable
from typing import NoReturn

from wsproto.frame_protocol import CloseReason

from chatproxy.providers.imkit.sockets import packets
from chatproxy.providers.imkit.sockets.dialogue import Dialogue
from chatproxy.providers.imkit.sockets.packets import Connect, Event, Leave, Packet, Pong
from chatproxy.providers.imkit.sockets.websocket import LONGEST, Over, WebSocket

ID_BYTES = 15


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds that a client has: to authenticate, between two pings, and to answer one."""

    authenticate: float = 10.0
    ping_every: float = 25.0
    pong_within: float = 20.0


class Session:
    """One socket. All but `bound` and `end` is for the one thread that serves it."""

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
        self._ping_at = monotonic() + times.ping_every
        self._pong_until: float | None = None

    @property
    def token(self) -> tuple[str, str] | None:
        """The app and the digest of the token that lets the client stay; None before that."""
        bound = self._dialogue.bound
        return None if bound is None else (bound.user.app_id, bound.digest)

    def end(self, over: Over) -> None:
        """End it, from any thread. What is under way is cut where it is called again later."""
        self._socket.interrupt(over)

    def run(self) -> str:
        """Serve the socket until it ends; return who ended it."""
        try:
            self._serve()
        except Over as over:
            self._leave(over)
            return over.ended_by
        except ValueError:
            self._socket.close(CloseReason.PROTOCOL_ERROR)
            return "protocol"

    def _serve(self) -> NoReturn:
        times = self._times
        opened = packets.opened(self._id, times.ping_every, times.pong_within, LONGEST)
        self._socket.send(opened)

        while True:
            text = self._socket.receive(self._next_moment())
            self._check_time()

            if text is not None:
                self._take(packets.read(text))

    def _next_moment(self) -> float:
        """Return when something has to be done though nothing comes."""
        heartbeat = self._ping_at if self._pong_until is None else self._pong_until
        return heartbeat if self.token else min(heartbeat, self._authenticate_until)

    def _check_time(self) -> None:
        """Ask whether the client is there, when it is time; raise `Over` where its time is up."""
        now = self._monotonic()

        if self.token is None and now >= self._authenticate_until:
            raise Over("nobody authenticated", CloseReason.POLICY_VIOLATION)

        if self._pong_until is not None and now >= self._pong_until:
            raise Over("silence", None)

        if self._pong_until is None and now >= self._ping_at:
            self._socket.send(packets.PING)
            self._pong_until = now + self._times.pong_within

    def _take(self, packet: Packet) -> None:
        if isinstance(packet, Pong):
            self._pong_until = None
            self._ping_at = self._monotonic() + self._times.ping_every
        elif isinstance(packet, Connect):
            self._connect(packet.namespace)
        elif isinstance(packet, Event):
            self._answer(packet)
        elif isinstance(packet, Leave):
            raise Over("caller", CloseReason.NORMAL_CLOSURE)

    def _connect(self, namespace: str) -> None:
        if namespace != packets.MAIN:
            self._socket.send(packets.refused(namespace))
            return

        self._connected = True
        self._socket.send(packets.connected(self._id))

    def _answer(self, event: Event) -> None:
        if not self._connected or event.namespace != packets.MAIN:
            raise ValueError("an event of a namespace that the client is not in")

        answer = self._dialogue.answer(event)

        if event.id is not None:
            self._socket.send(packets.acknowledged(event.id, answer))

    def _leave(self, over: Over) -> None:
        """Tell the client. Where it must not simply come again it is told so in a packet."""
        if over.code is None:
            return

        may_not_come_again = over.code == CloseReason.POLICY_VIOLATION and over.ended_by != "caller"

        if self._connected and may_not_come_again:
            with contextlib.suppress(Over):
                self._socket.send(packets.DISCONNECT)

        self._socket.close(over.code)
