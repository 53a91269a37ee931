"""With which token a client has signed in on a session that no worker holds by itself.

Requests of one session come to any worker and any replica, and each has to know whether the
token that opened it is still good.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

from sqlalchemy import Executable, delete, select

from chatproxy.identity.database import Database
from chatproxy.identity.key_format import digest_of
from chatproxy.identity.tables import signed_in_sessions
from chatproxy.identity.token_records import Binding

#: Sessions that are kept for one token. Its owner opens as many as it likes, and must not fill
#: the directory with them.
MOST_SESSIONS = 100

TABLE = signed_in_sessions.c


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

        The oldest of the token's sessions are forgotten where there are too many.
        """
        with self._database.writing() as connection:
            for statement in self._statements(session, bound):
                connection.execute(statement)

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
        return {row["session"]: (app_id, row["token"]) for row in self._database.rows(wanted)}

    def _statements(self, session: str, bound: Binding) -> Iterator[Executable]:
        now, app_id = self._now(), bound.user.app_id
        values = {"token": bound.digest, "noted": now, "expires": bound.expires}
        statement = self._database.insert(signed_in_sessions).values(
            app_id=app_id, session=session, **values
        )
        yield statement.on_conflict_do_update(index_elements=["app_id", "session"], set_=values)
        mine = (TABLE.app_id == app_id, TABLE.token == bound.digest)
        newest = select(TABLE.session).where(*mine).order_by(TABLE.noted.desc(), TABLE.session)
        kept = newest.limit(MOST_SESSIONS).scalar_subquery()
        yield delete(signed_in_sessions).where(*mine, TABLE.session.not_in(kept))
        yield delete(signed_in_sessions).where(TABLE.expires <= now)
