"""A client's WebSocket and the server's, and the messages between them.

One greenlet carries each direction. A side that does not read stops the other one, so no more than
one piece is held for each. Messages are passed on piece by piece as they come, but for the start
of a client's text: `speech` has to see whether it signs in.
"""

import contextlib
import dataclasses
import math
import socket
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, TextMessage
from wsproto.frame_protocol import CloseReason

from chatproxy.providers.imkit.relaying.speech import NoSuchPacket, Speech
from chatproxy.providers.imkit.sockets.dialogue import log_unexpected
from chatproxy.providers.imkit.sockets.frames import WRITE_LIMIT, Frames, SocketClosed

#: Characters of a text that are held to see what it is. A token has at most some thousand.
HELD = 64 * 1024

#: Bytes that are read at once from either side.
PIECE = 64 * 1024

SAID_NOTHING = "The IMKit server said nothing."


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds for a client to sign in, without a word from one side, and as in `session.Times`.

    Both sides of Engine.IO speak every 25 seconds as it is shipped; servers may be told otherwise.
    """

    authenticate: float = 10.0
    undisturbed: float = 3.0
    silence: float = 120.0


class Client(Frames):
    """The client's end."""

    def __init__(self, sock: socket.socket, monotonic: Callable[[], float]) -> None:
        super().__init__(sock, monotonic, read_at_once=PIECE)


class Server(Frames):
    """The server's end, on which something may have arrived already."""

    peer = "server"
    gone = CloseReason.INTERNAL_ERROR

    def __init__(self, sock: socket.socket, monotonic: Callable[[], float], arrived: bytes) -> None:
        super().__init__(sock, monotonic, ConnectionType.CLIENT, arrived, PIECE)


class Tunnel:
    """One relayed socket. Other threads than those that serve it may use only `token` and `end`.

    `longest` are the bytes of a message, in either direction. `session` as in `hub.Part`: it began
    with polling, and a client may have signed in by that.
    """

    def __init__(
        self,
        client: Frames,
        server: Frames,
        speech: Speech,
        monotonic: Callable[[], float],
        times: Times,
        longest: int,
        session: str | None = None,
    ) -> None:
        self.session = session
        self._signed_in: tuple[str, str] | None = None
        self._client = client
        self._server = server
        self._speech = speech
        self._monotonic = monotonic
        self._times = times
        self._longest = longest
        now = monotonic()
        self._sign_in_until = now + times.authenticate
        self._undisturbed_until = now + times.undisturbed
        self._heard = {client: now, server: now}
        self._server_spoke = False
        self._pieces: list[str] = []
        self._length = {client: 0, server: 0}
        self._total = {client: 0, server: 0}
        self._unseen = False
        self._swallow = 0
        self._within_a_message = False
        self._replies: list[str] = []

    @property
    def token(self) -> tuple[str, str] | None:
        """The app and the digest of the client's token; None before it has signed in."""
        bound = self._speech.bound
        return self._signed_in if bound is None else (bound.user.app_id, bound.digest)

    def signed_in(self, token: tuple[str, str]) -> None:
        """Take note of a sign-in that came by another request of the session."""
        self._signed_in = token

    def gives_way(self) -> bool:
        """Say whether another client may have its place: it has had the time to sign in."""
        return self.token is None and self._monotonic() >= self._undisturbed_until

    def end(self, closed: SocketClosed) -> None:
        """End it from any thread; called again later, it also cuts a write under way."""
        self._client.interrupt(closed)
        self._server.interrupt(closed)

    def carried(self) -> dict[str, int]:
        """Return the length of all messages from the client and from the server, for the log."""
        return {"received": self._total[self._client], "sent": self._total[self._server]}

    def run(self) -> str:
        """Carry messages until one side ends it; return who did."""
        back = threading.Thread(target=self._carry_back, daemon=True)
        back.start()

        try:
            self._carry_on()
        except SocketClosed as closed:
            self._finish(closed, back)
            return closed.ended_by
        finally:
            self._server.interrupt(SocketClosed("failure", None))

    # From the client to the server.

    def _carry_on(self) -> NoReturn:
        while True:
            event = self._client.next_event(self._next_deadline())
            self._check_time()

            if event is None:
                continue

            self._note(self._client, event)

            if isinstance(event, TextMessage):
                self._take_text(event)
            elif isinstance(event, BytesMessage):
                self._take_bytes(event)
            else:
                self._server.write(event)

    def _next_deadline(self) -> float:
        silent = min(self._heard.values()) + self._times.silence
        return silent if self.token else min(silent, self._sign_in_until)

    def _check_time(self) -> None:
        now = self._monotonic()

        if self.token is None and now >= self._sign_in_until:
            if not self._server_spoke:
                raise SocketClosed("server", CloseReason.INTERNAL_ERROR, SAID_NOTHING)

            raise SocketClosed("nobody authenticated", CloseReason.POLICY_VIOLATION)

        if now - self._heard[self._server] >= self._times.silence:
            raise SocketClosed("server", CloseReason.INTERNAL_ERROR, SAID_NOTHING)

        if now - self._heard[self._client] >= self._times.silence:
            raise SocketClosed("silence", None)

    def _take_text(self, event: TextMessage) -> None:
        if self._unseen:
            self._server.write(event)
            self._unseen = not event.message_finished
            return

        self._pieces.append(event.data)

        if not event.message_finished and self._length[self._client] <= HELD:
            return

        text, self._pieces = "".join(self._pieces), []

        try:
            if len(text) <= HELD:
                self._say(text)
            elif not self._speech.may_be_long(text):
                raise SocketClosed("protocol", CloseReason.MESSAGE_TOO_BIG)
            else:
                self._unseen = not event.message_finished
                self._server.write(TextMessage(data=text, message_finished=event.message_finished))
        except NoSuchPacket as error:
            raise SocketClosed("protocol", CloseReason.PROTOCOL_ERROR) from error

    def _say(self, text: str) -> None:
        heard = self._speech.hear(text)
        self._swallow += heard.swallowed

        if heard.onward is not None:
            self._server.write(TextMessage(data=heard.onward))

        if heard.back is not None:
            self._replies.append(heard.back)
            self._send_replies()

    def _take_bytes(self, event: BytesMessage) -> None:
        if not self._swallow:
            self._server.write(event)
        elif event.message_finished:
            self._swallow -= 1

    # From the server to the client.

    def _carry_back(self) -> None:
        try:
            while True:
                event = self._server.next_event(math.inf)

                if event is not None:
                    self._note(self._server, event)
                    self._server_spoke = True
                    self._take_back(event)
        except SocketClosed as closed:
            self._client.interrupt(closed)
        except Exception as error:  # noqa: BLE001 - the client must not wait for nothing
            log_unexpected(error)
            self._client.interrupt(SocketClosed("failure", CloseReason.INTERNAL_ERROR))

    def _take_back(self, event: Event) -> None:
        if not isinstance(event, TextMessage | BytesMessage):
            self._client.write(event)
            return

        self._within_a_message = True
        self._client.write(event)

        if event.message_finished:
            self._within_a_message = False
            self._send_replies()

    def _send_replies(self) -> None:
        # Between two messages of the server's: it may be in the middle of one.
        while self._replies and not self._within_a_message:
            self._client.write(TextMessage(data=self._replies.pop(0)))

    # Both.

    def _note(self, side: Frames, event: Event) -> None:
        """Note that a side has spoken; raise `SocketClosed` if that was its last word."""
        self._heard[side] = self._monotonic()

        if isinstance(event, CloseConnection):
            by_frame = side.has_left or side is self._server
            raise SocketClosed(side.peer if by_frame else "protocol", event.code)

        if isinstance(event, TextMessage | BytesMessage):
            # A list of empty pieces takes memory too.
            self._length[side] += len(event.data) or 1
            self._total[side] += len(event.data)

            if self._length[side] > self._longest:
                raise SocketClosed("protocol", CloseReason.MESSAGE_TOO_BIG)

            if event.message_finished:
                self._length[side] = 0

    def _finish(self, closed: SocketClosed, back: threading.Thread) -> None:
        self._server.interrupt(closed)
        left = closed.code if closed.ended_by in ("caller", "server") else None
        self._server.say_goodbye(CloseReason.GOING_AWAY if left is None else left)
        # It may be writing to the client. Only one of us may end that.
        back.join(WRITE_LIMIT)

        if closed.code is None:
            return

        is_ours = closed.ended_by not in ("caller", "server", "protocol")

        if is_ours and closed.code == CloseReason.POLICY_VIOLATION and not self._within_a_message:
            # Socket.IO's clients reconnect by themselves after a closed connection, but not
            # after these.
            with contextlib.suppress(SocketClosed):
                for packet in self._speech.goodbyes():
                    self._client.write(TextMessage(data=packet))

        self._client.close(closed.code, closed.reason)
        # Where many end at once all are told first; then come the lines of the log.
        time.sleep(0)
