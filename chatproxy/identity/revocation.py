"""Which signed tokens are valid: by their id, by their user, by their app.

Every token made here tells, in a claim or at the beginning of its id, the version that its user
and app had at that moment, and a revocation counts the version up. So no clock is involved: a
token made right afterwards is valid, one made right before is not, whatever a clock did
meanwhile. A token without a version was made by somebody else with the same secret; it is valid
where it was issued after the last revocation.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Select, String, Table, and_, bindparam, case, delete, select, update

from chatproxy.errors import TokenOfAnotherApp, TokenRevoked
from chatproxy.identity.database import AnyRow, Database
from chatproxy.identity.tables import apps, revoked_tokens, users
from chatproxy.identity.token_records import Issued, Standing
from chatproxy.identity.user_rows import ACTIVE, COLUMNS, user_of

FURTHER_COLUMNS = (
    apps.c.tokens_valid_after.label("app_valid_after"),
    revoked_tokens.c.token_id.label("revoked_id"),
)

#: Seconds for which a revoked token is remembered after its end: clocks differ, and are set back.
REMEMBERED = 24 * 3600


def ending_all(table: Table, now: float) -> dict[str, Any]:
    """Return the new values of `users` or `apps` that end all tokens of a user or an app.

    The moment never goes back: a clock that does must not revive what it ended before.
    """
    before = table.c.tokens_valid_after
    return {
        "token_version": table.c.token_version + 1,
        "tokens_valid_after": case((before > now, before), else_=now),
    }


class Revocation:
    """Checks and ends tokens."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def check(self, token: Issued) -> Standing:
        """Raise `TokenRevoked` or `TokenOfAnotherApp` unless a token is valid.

        Its signature and its time must have been checked before.
        """
        row = self._database.row(
            BY_OUR_ID if token.by_our_id else BY_ID,
            app=token.app_id,
            user=token.user_id,
            token=token.token_id,
            family=token.family,
        )

        if row is None:
            raise TokenOfAnotherApp("Token app mismatch")

        user = user_of(row) if row.id else None
        standing = Standing(user, user.version if user else row.app_version)

        if _is_revoked(token, standing, row):
            raise TokenRevoked("Token revoked")

        return standing

    def revoke_user(self, app_id: str, external_id: str) -> bool:
        """End all tokens that the user has now; say whether there is such a user."""
        mine = and_(users.c.app_id == app_id, users.c.external_id == external_id, ACTIVE)

        with self._database.writing() as connection:
            changed = connection.execute(
                update(users).where(mine).values(ending_all(users, self._now()))
            )

        return changed.rowcount == 1

    def revoke_user_by_our_id(self, app_id: str, user_id: str) -> int | None:
        """End all tokens of the user with our id; return its new count, None for no such user."""
        mine = and_(users.c.app_id == app_id, users.c.id == user_id, ACTIVE)

        with self._database.writing() as connection:
            version: int | None = connection.execute(
                update(users)
                .where(mine)
                .values(ending_all(users, self._now()))
                .returning(users.c.token_version)
            ).scalar()

        return version

    def revoke_app(self, app_id: str) -> bool:
        """End all tokens that the app's users have now; say whether there is such an app."""
        with self._database.writing() as connection:
            changed = connection.execute(
                update(apps).where(apps.c.id == app_id).values(ending_all(apps, self._now()))
            )

        return changed.rowcount == 1

    def revoke_token(self, app_id: str, token_id: str, expires: float) -> bool:
        """End the tokens of one id, which end by themselves at `expires`; raise `IdentityError`.

        Of callers at once, exactly one is told that it was the first to do so. The id may be that
        of a family, too.
        """
        row = {"app_id": app_id, "token_id": token_id, "expires": expires}
        revoked = (
            self._database.insert(revoked_tokens)
            .values(row)
            .on_conflict_do_nothing()
            # Not its count of rows, which the driver for PostgreSQL does not tell of an insert.
            .returning(revoked_tokens.c.token_id)
        )
        over = revoked_tokens.c.expires < self._now() - REMEMBERED

        with self._database.writing(refusal=f"there is no app {app_id}") as connection:
            # No other job clears the table: whoever adds a row pays for those that are over.
            connection.execute(delete(revoked_tokens).where(over))
            return connection.execute(revoked).first() is not None


def _all_about(user_id: Column[str]) -> Select[Any]:
    """Select app, user and revocation in one statement: none can change between two of them."""
    of_user = and_(users.c.app_id == apps.c.id, user_id == bindparam("user"))
    # NULL, where a token has no id or no family, is in no list.
    ids = [bindparam("token", type_=String), bindparam("family", type_=String)]
    of_id = and_(revoked_tokens.c.app_id == apps.c.id, revoked_tokens.c.token_id.in_(ids))
    return (
        select(*COLUMNS, *FURTHER_COLUMNS)
        .select_from(apps.outerjoin(users, of_user).outerjoin(revoked_tokens, of_id))
        .where(apps.c.id == bindparam("app"))
    )


BY_ID, BY_OUR_ID = _all_about(users.c.external_id), _all_about(users.c.id)


def _is_revoked(token: Issued, standing: Standing, row: AnyRow) -> bool:
    user = standing.user

    if row.revoked_id is not None or (user is not None and not user.active):
        return True

    if token.version is not None:
        return token.version != standing.version

    # Made elsewhere, so only its time can be compared. `iat` is mostly in whole seconds: one of
    # the very second of the revocation may be older, and counts as older.
    ends = (row.app_valid_after, user.tokens_valid_after if user else None)
    return any(end and token.issued <= end for end in ends)
