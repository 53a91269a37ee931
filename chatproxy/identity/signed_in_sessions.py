"""With which token a client has signed in on a session that no worker holds by itself.

Requests of one session come to any worker and any replica, and each has to know whether the
token that opened it is still good.
"""

from collections.abc import Callable, Collection, Mapping

from sqlalchemy import and_, delete, func, or_, select, update

from chatproxy.errors import TooManyRequests
from chatproxy.identity.database import Database
from chatproxy.identity.key_format import digest_of
from chatproxy.identity.tables import signed_in_sessions
from chatproxy.identity.token_records import Binding

#: Sessions of one token that go on at the same time. Its owner opens as many as it likes, and must
#: not fill the directory with them. None of them is forgotten for another one: a revocation would
#: not find it.
MOST_SESSIONS = 1000

#: Seconds after which a session of which nothing was heard is over at every server; within them
#: the directory is told that it goes on. A request of a session waits for two minutes at most.
OVER_AFTER = 300.0
TOLD_EVERY = 60.0

#: The digest of no token.
NO_TOKEN = ""

TABLE = signed_in_sessions.c


class TooManySessions(TooManyRequests):
    """As many sessions of one token go on as may."""

    def __init__(self) -> None:
        message = "Too many sessions go on with this token. Close some, or try again later."
        super().__init__(message, retry_after=int(OVER_AFTER), headers={})


class SignedInSessions:
    """The sessions of the directory. A session is known by the digest of its id."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    @staticmethod
    def name_of(session_id: str) -> str:
        """Return by what a session is known: whoever knows its id may speak in it."""
        return digest_of(session_id)

    def note(self, session: str, bound: Binding) -> None:
        """Note that a client has signed in on a session; what it was signed in with is forgotten.

        Raises `TooManySessions` where as many of the token's go on as may.
        """
        now, app_id = self._now(), bound.user.app_id
        mine = (TABLE.app_id == app_id, TABLE.token == bound.digest)
        over = and_(*mine, TABLE.noted <= now - OVER_AFTER)
        others = select(func.count()).where(*mine, TABLE.session != session)
        values = {"token": bound.digest, "noted": now, "expires": bound.expires}
        statement = self._database.insert(signed_in_sessions).values(
            app_id=app_id, session=session, **values
        )

        with self._database.writing() as connection:
            connection.execute(delete(signed_in_sessions).where(or_(over, TABLE.expires <= now)))

            if connection.execute(others).scalar_one() >= MOST_SESSIONS:
                raise TooManySessions

            connection.execute(
                statement.on_conflict_do_update(index_elements=["app_id", "session"], set_=values)
            )

    def heard_of(self, app_id: str, session: str) -> tuple[str, str] | None:
        """Return a session's token as `tokens_of` does, and note that it goes on."""
        mine = (TABLE.app_id == app_id, TABLE.session == session)
        row = self._database.row(select(TABLE.token, TABLE.noted).where(*mine))

        if row is None:
            return None

        if self._now() - row.noted >= TOLD_EVERY:
            with self._database.writing(durable=False) as connection:
                connection.execute(
                    update(signed_in_sessions).where(*mine).values(noted=self._now())
                )

        return app_id, row.token

    def end(self, app_id: str, session: str) -> None:
        """Note that a session must not go on: its token is one that never counts."""
        mine = (TABLE.app_id == app_id, TABLE.session == session)

        with self._database.writing() as connection:
            connection.execute(update(signed_in_sessions).where(*mine).values(token=NO_TOKEN))

    def forget(self, app_id: str, session: str) -> None:
        """Forget a session that is over."""
        mine = (TABLE.app_id == app_id, TABLE.session == session)

        with self._database.writing() as connection:
            connection.execute(delete(signed_in_sessions).where(*mine))

    def tokens_of(self, app_id: str, sessions: Collection[str]) -> Mapping[str, tuple[str, str]]:
        """Return the token of each session on which somebody has signed in: app and digest."""
        if not sessions:
            return {}

        wanted = select(TABLE.session, TABLE.token).where(
            TABLE.app_id == app_id, TABLE.session.in_(sessions)
        )
        return {row.session: (app_id, row.token) for row in self._database.rows(wanted)}
