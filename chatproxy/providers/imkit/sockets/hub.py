"""All sockets of a worker: how many there may be, and which have to end."""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Collection, Iterator

from wsproto.frame_protocol import CloseReason

from chatproxy.errors import ChatproxyError, DirectoryUnavailable
from chatproxy.providers.imkit.sockets.dialogue import Authenticate, Dialogue
from chatproxy.providers.imkit.sockets.repeated import Repeated
from chatproxy.providers.imkit.sockets.session import Session, Times
from chatproxy.providers.imkit.sockets.websocket import Over, WebSocket

log = logging.getLogger(__name__)

#: Seconds between two looks: whether tokens still count, and whether the worker stops.
EVERY = 0.3

#: Tokens that one statement asks about.
ASKED_AT_ONCE = 500

Tokens = Collection[tuple[str, str]]
StillCount = Callable[[Tokens], set[tuple[str, str]]]


class TooManySockets(ChatproxyError):
    """The worker holds as many sockets as the settings allow."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Too many sockets are open. Try again.")
        self.headers = {"Retry-After": "1"}


class Hub:
    """The sockets of this worker.

    `still_count` returns those tokens, each an app and a digest, that still count; it raises
    `DirectoryUnavailable`. `is_stopping` says whether the worker was told to stop.
    """

    def __init__(
        self,
        most: int,
        still_count: StillCount,
        is_stopping: Callable[[], bool],
        monotonic: Callable[[], float],
        times: Times | None = None,
    ) -> None:
        self._most = most
        self._still_count = still_count
        self._is_stopping = is_stopping
        self._monotonic = monotonic
        self._times = times or Times()
        self._lock = threading.Lock()
        self._places = 0
        self._sessions: set[Session] = set()
        self._directory_away = False
        # Apart, so that a directory which takes its time does not hold up the end.
        self._watches = (
            Repeated(self._end_all_when_stopping, self._is_needed, EVERY),
            Repeated(self._end_those_without_token, self._is_needed, EVERY),
        )

    def take_place(self) -> None:
        """Take one of the places, to be left later; raise `TooManySockets`."""
        with self._lock:
            if self._places >= self._most:
                raise TooManySockets

            self._places += 1

    def leave_place(self) -> None:
        """Leave a place."""
        with self._lock:
            self._places -= 1

    def serve(self, sock: socket.socket, authenticate: Authenticate) -> str:
        """Serve a socket to its end; return who ended it."""
        websocket = WebSocket(sock, self._monotonic)
        session = Session(websocket, Dialogue(authenticate), self._monotonic, self._times)

        with self._held(session):
            return session.run()

    @contextlib.contextmanager
    def _held(self, session: Session) -> Iterator[None]:
        with self._lock:
            self._sessions.add(session)

        try:
            for watch in self._watches:
                watch.start()

            yield
        finally:
            with self._lock:
                self._sessions.discard(session)

    def _is_needed(self) -> bool:
        return bool(self._sessions)

    def _end_all_when_stopping(self) -> None:
        if self._is_stopping():
            for session in self._present():
                session.end(Over("stop", CloseReason.GOING_AWAY))

    def _end_those_without_token(self) -> None:
        """Ask about all tokens; while nobody can be asked, nothing changes."""
        tokens = {session: session.token for session in self._present() if session.token}

        try:
            counting = self._counting({token for token in tokens.values() if token})
        except DirectoryUnavailable as error:
            self._note_directory(error)
            return

        self._directory_away = False

        for session, token in tokens.items():
            if token not in counting and session.token == token:
                session.end(Over("token", CloseReason.POLICY_VIOLATION))

    def _counting(self, tokens: set[tuple[str, str]]) -> set[tuple[str, str]]:
        listed = sorted(tokens)
        counting: set[tuple[str, str]] = set()

        for start in range(0, len(listed), ASKED_AT_ONCE):
            counting |= self._still_count(listed[start : start + ASKED_AT_ONCE])

        return counting

    def _present(self) -> list[Session]:
        with self._lock:
            return list(self._sessions)

    def _note_directory(self, error: DirectoryUnavailable) -> None:
        if not self._directory_away:
            self._directory_away = True
            log.warning(
                "the directory cannot be asked which sockets' tokens still count",
                extra={"detail": error.detail},
            )
