"""Which tokens still count: by their id, by their user, by their app.

The id of every token made here begins with the version that its user and app had at
that moment, and a revocation counts it up. So it needs no clock: a token made right
afterwards is good, one made right before is not, whatever a clock did meanwhile. A
token with another id was made by somebody else with the same secret; it counts where
it was issued after the last revocation.
"""

import dataclasses
import re
import secrets
from collections.abc import Callable

from sqlalchemy import and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from chatproxy.errors import TokenOfAnotherApp, TokenRevoked
from chatproxy.identity.apps import IdentityError
from chatproxy.identity.engine import Database
from chatproxy.identity.models import apps, revoked_tokens, users
from chatproxy.identity.user import User, ending_all, user_of

APP_COLUMNS = (
    apps.c.token_version.label("app_version"),
    apps.c.tokens_valid_after.label("app_valid_after"),
    revoked_tokens.c.token_id.label("revoked_id"),
)

USER_COLUMNS = (*(column.name for column in users.c), "app_version")

#: Seconds for which a revoked token is remembered after its end: clocks differ, and are set back.
REMEMBERED = 24 * 3600

TOKEN_ID = re.compile(r"([0-9]{1,9})-[0-9a-f]{32}")


@dataclasses.dataclass(frozen=True)
class Issued:
    """What a token says of its making; `token_id` None: nothing. Times are epoch seconds.

    `user_id` is the caller's, or our own where `by_our_id` says so.
    """

    app_id: str
    user_id: str
    token_id: str | None
    issued: float
    expires: float
    by_our_id: bool = False

    @property
    def version(self) -> int | None:
        """The version that the token was made with, None where it was made elsewhere."""
        ours = TOKEN_ID.fullmatch(self.token_id or "")
        return int(ours[1]) if ours else None


@dataclasses.dataclass(frozen=True)
class Standing:
    """A token that counts: its user, None where the directory does not know it.

    `version` is what a token made in its place must carry.
    """

    user: User | None
    version: int


def new_token_id(version: int) -> str:
    """Make the id of a new token."""
    return f"{version}-{secrets.token_hex(16)}"


class Revocation:
    """Asks and changes which tokens count."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def check(self, token: Issued) -> Standing:
        """Ask whether a token counts; raise `TokenRevoked` or `TokenOfAnotherApp`.

        Its signature and its time must have been checked before.
        """
        named = users.c.id if token.by_our_id else users.c.external_id
        of_user = and_(users.c.app_id == apps.c.id, named == token.user_id)
        of_id = and_(
            revoked_tokens.c.app_id == apps.c.id, revoked_tokens.c.token_id == token.token_id
        )
        wanted = (
            select(users, *APP_COLUMNS)
            .select_from(apps.outerjoin(users, of_user).outerjoin(revoked_tokens, of_id))
            .where(apps.c.id == token.app_id)
        )

        with self._database.reading() as connection:
            row = connection.execute(wanted).mappings().first()

        if row is None:
            raise TokenOfAnotherApp("Token app mismatch")

        user = user_of({name: row[name] for name in USER_COLUMNS}) if row["id"] else None
        standing = Standing(user, user.version if user else row["app_version"])
        revocations = (row["app_valid_after"], user.tokens_valid_after if user else None)

        if row["revoked_id"] is not None or (user is not None and not user.active):
            raise TokenRevoked("Token revoked")

        if token.version is not None and token.version != standing.version:
            raise TokenRevoked("Token revoked")

        if token.version is None and any(one and token.issued <= one for one in revocations):
            raise TokenRevoked("Token revoked")

        return standing

    def revoke_user(self, app_id: str, external_id: str) -> bool:
        """End all tokens that the user has now; say whether there is such a user."""
        with self._database.writing() as connection:
            changed = connection.execute(
                update(users)
                .where(
                    users.c.app_id == app_id,
                    users.c.external_id == external_id,
                    users.c.active.is_(True),
                )
                .values(ending_all(users, self._now()))
            )

        return changed.rowcount == 1

    def revoke_user_by_our_id(self, app_id: str, user_id: str) -> int | None:
        """End all tokens of the user with our id; return its new count, None for no such user."""
        with self._database.writing() as connection:
            version: int | None = connection.execute(
                update(users)
                .where(users.c.app_id == app_id, users.c.id == user_id, users.c.active.is_(True))
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

    def revoke_token(self, app_id: str, token_id: str, expires: float) -> None:
        """End the tokens of one id, which end by themselves at `expires`.

        Rows of tokens that are over for long are cleared away. Raises `IdentityError`
        where there is no such app.
        """
        dialect = sqlite if self._database.is_sqlite else postgresql
        row = {"app_id": app_id, "token_id": token_id, "expires": expires}
        statement = dialect.insert(revoked_tokens).values(row).on_conflict_do_nothing()

        try:
            with self._database.writing() as connection:
                connection.execute(
                    delete(revoked_tokens).where(
                        revoked_tokens.c.expires < self._now() - REMEMBERED
                    )
                )
                connection.execute(statement)
        except IntegrityError as error:
            raise IdentityError(f"there is no app {app_id}") from error
