"""The sockets of a worker: how many there may be, and which of them must end."""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Protocol

from wsproto.frame_protocol import CloseReason

from chatproxy.errors import ChatproxyError, DirectoryUnavailable
from chatproxy.metrics.table import SOCKETS, SOCKETS_ENDED
from chatproxy.providers.imkit.sockets.dialogue import Authenticate, Dialogue
from chatproxy.providers.imkit.sockets.frames import SocketClosed
from chatproxy.providers.imkit.sockets.periodic import Periodic
from chatproxy.providers.imkit.sockets.session import Session, Times
from chatproxy.providers.imkit.sockets.websocket import WebSocket

log = logging.getLogger(__name__)

#: Seconds between two checks: whether the worker stops, and whether the tokens are still valid.
CHECK_INTERVAL = 0.3

#: Tokens in one query of the database.
BATCH_SIZE = 500

Tokens = Collection[tuple[str, str]]
StillValid = Callable[[Tokens], set[tuple[str, str]]]
TokensOf = Callable[[Collection[str]], Mapping[str, tuple[str, str]]]


def _of_none(_sessions: Collection[str]) -> Mapping[str, tuple[str, str]]:
    return {}


class Part(Protocol):
    """A socket or a part of one, as the hub sees it.

    `token` is None as long as nobody has signed in on it. `session` is by what the directory knows
    it, where its requests may come to any worker: it is asked then whether somebody has signed in
    meanwhile, and `signed_in` is told with which token.
    """

    session: str | None

    def signed_in(self, token: tuple[str, str]) -> None:
        """Take note of what another worker has seen."""
        ...

    @property
    def token(self) -> tuple[str, str] | None:
        """The app and the digest of the client's token."""
        ...

    def gives_way(self) -> bool:
        """Say whether another client may have its place."""
        ...

    def end(self, closed: SocketClosed) -> None:
        """End it from any thread; called again and again until it has ended."""
        ...


class Held(Part, Protocol):
    """A socket that one worker serves from its beginning to its end."""

    def run(self) -> str:
        """Serve it until it ends; return who ended it."""
        ...


class TooManySockets(ChatproxyError):
    """The worker has as many sockets as the settings allow."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Too many sockets are open. Try again.")
        self.headers = {"Retry-After": "1"}


class Hub:
    """The sockets of this worker.

    `tokens_of` returns the tokens of those sessions on which somebody has signed in. `still_valid`
    returns those of the given tokens, each an app and a digest, that are still valid, and raises
    `DirectoryUnavailable`. `is_stopping` returns whether the worker was told to stop.
    """

    def __init__(
        self,
        most: int,
        still_valid: StillValid,
        is_stopping: Callable[[], bool],
        monotonic: Callable[[], float],
        times: Times | None = None,
        tokens_of: TokensOf = _of_none,
    ) -> None:
        self._max_sockets = most
        self._tokens_of = tokens_of
        self._still_valid = still_valid
        self._is_stopping = is_stopping
        self._monotonic = monotonic
        self._times = times or Times()
        self._lock = threading.Lock()
        self._slots_taken = 0
        self._sessions: dict[Part, None] = {}  # the oldest first
        self._directory_failed = False
        # Two threads, so that a slow directory does not delay the stop of the worker.
        self._watches = (
            Periodic(self._end_all_when_stopping, self._is_needed, CHECK_INTERVAL),
            Periodic(self._end_those_without_valid_token, self._is_needed, CHECK_INTERVAL),
        )

    def acquire_slot(self) -> None:
        """Take a slot; raise `TooManySockets`. Every slot has to be released."""
        with self._lock:
            if self._slots_taken >= self._max_sockets:
                self._end_one_without_token()

            self._slots_taken += 1

    def release_slot(self) -> None:
        """Give a slot back."""
        with self._lock:
            self._slots_taken -= 1

    def serve(self, sock: socket.socket, authenticate: Authenticate) -> str:
        """Serve a socket on which clients authenticate; return who ended it."""
        websocket = WebSocket(sock, self._monotonic)
        return self.hold(Session(websocket, Dialogue(authenticate), self._monotonic, self._times))

    def hold(self, session: Held) -> str:
        """Serve a socket until it ends; return who ended it."""
        ended_by = "failure"
        SOCKETS.add()

        try:
            with self.watching(session):
                ended_by = session.run()
                return ended_by
        finally:
            SOCKETS.add(by=-1)
            SOCKETS_ENDED.add(ended_by.replace(" ", "_"))

    @contextlib.contextmanager
    def watching(self, session: Part) -> Iterator[None]:
        """End what is served meanwhile when its time has come."""
        with self._lock:
            self._sessions[session] = None

        try:
            for watch in self._watches:
                watch.start()

            yield
        finally:
            with self._lock:
                self._sessions.pop(session, None)

    def _end_one_without_token(self) -> None:
        # Else whoever reaches the port keeps all clients out with sockets that never authenticate.
        session = next((one for one in self._sessions if one.gives_way()), None)

        if session is None:
            raise TooManySockets

        del self._sessions[session]  # its place is given away once
        session.end(SocketClosed("another client", CloseReason.TRY_AGAIN_LATER))

    def _is_needed(self) -> bool:
        return bool(self._sessions)

    def _end_all_when_stopping(self) -> None:
        if self._is_stopping():
            for session in self._current_sessions():
                session.end(SocketClosed("stop", CloseReason.GOING_AWAY))

    def _end_those_without_valid_token(self) -> None:
        # While the directory is unavailable the sockets stay: to end them all would bring every
        # client back at once.
        try:
            self._look_who_signed_in()
            sessions = self._current_sessions()
            tokens = {session: session.token for session in sessions if session.token}
            valid = self._valid_tokens({token for token in tokens.values() if token})
        except DirectoryUnavailable as error:
            if not self._directory_failed:
                self._directory_failed = True
                log.warning(
                    "the directory cannot be asked which sockets' tokens still count",
                    extra={"detail": error.detail},
                )

            return

        self._directory_failed = False

        for session, token in tokens.items():
            # A client that has signed in with another token in the meantime stays.
            if token not in valid and session.token == token:
                session.end(SocketClosed("token", CloseReason.POLICY_VIOLATION))

    def _look_who_signed_in(self) -> None:
        waiting = [
            (one.session, one) for one in self._current_sessions() if one.session and not one.token
        ]
        found = self._tokens_of({session for session, _ in waiting}) if waiting else {}

        for session, one in waiting:
            if session in found and not one.token:
                one.signed_in(found[session])

    def _valid_tokens(self, tokens: set[tuple[str, str]]) -> set[tuple[str, str]]:
        listed = sorted(tokens)
        valid: set[tuple[str, str]] = set()

        for start in range(0, len(listed), BATCH_SIZE):
            valid |= self._still_valid(listed[start : start + BATCH_SIZE])

        return valid

    def _current_sessions(self) -> list[Part]:
        with self._lock:
            return list(self._sessions)
