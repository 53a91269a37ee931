"""A polling request that waits for what the server has to say."""

from collections.abc import Callable

from chatproxy.errors import ChatproxyError
from chatproxy.forwarding.timeouts import CHECK_CALLER_EVERY, Caller
from chatproxy.providers.imkit.relaying.tunnel import Times
from chatproxy.providers.imkit.sockets.frames import SocketClosed


class SessionOver(ChatproxyError):
    """The session that a request belongs to has been ended here. `ended_by` is for the log."""

    status = 400

    def __init__(self, ended_by: str) -> None:
        super().__init__("The session is over.")
        self.ended_by = ended_by


class Waiting:
    """The request, as the hub sees it, and the caller, as the wait for the server sees it.

    It is asked now and then, while it waits, whether the caller is still there. `since` is when the
    session was seen first.
    """

    def __init__(
        self,
        session: str,
        token: tuple[str, str] | None,
        caller: Caller,
        monotonic: Callable[[], float],
        times: Times,
        since: float,
    ) -> None:
        self.session: str | None = session
        self.token = token
        self._caller = caller
        self._monotonic = monotonic
        self._ended: SocketClosed | None = None
        now = monotonic()
        self._sign_in_until = since + times.authenticate
        self._undisturbed_until = now + times.undisturbed
        self._look_at = now + CHECK_CALLER_EVERY

    def signed_in(self, token: tuple[str, str]) -> None:
        """Take note of a sign-in that came by another request of the session."""
        self.token = token

    def gives_way(self) -> bool:
        """Say whether another client may have its place."""
        return self.token is None and self._monotonic() >= self._undisturbed_until

    def end(self, closed: SocketClosed) -> None:
        """End it from any thread."""
        # A worker that stops answers what it has begun. The session goes on at another one.
        if closed.ended_by != "stop":
            self._ended = self._ended or closed

    def has_left(self) -> bool:
        """Say whether the caller has left; raise `SessionOver` where it has to."""
        now = self._monotonic()

        if self._ended is not None:
            raise SessionOver(self._ended.ended_by)

        if self.token is None and now >= self._sign_in_until:
            raise SessionOver("nobody authenticated")

        if now < self._look_at:
            return False

        self._look_at = now + CHECK_CALLER_EVERY
        return self._caller.has_left()
