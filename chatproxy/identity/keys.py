"""API keys: made, found, rotated, revoked. What they look like is in `key_format`."""

import dataclasses
from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, and_, bindparam, insert, select, update

from chatproxy.errors import IdentityError
from chatproxy.identity.apps import checked_name
from chatproxy.identity.database import AnyRow, Database
from chatproxy.identity.key_format import LONGEST_KEY, KeyFormat, digest_of, new_key_id
from chatproxy.identity.last_seen import KeyUses
from chatproxy.identity.records import Key, Kind, MadeKey, User
from chatproxy.identity.tables import api_keys, apps, users
from chatproxy.identity.user_rows import ACTIVE, user_of
from chatproxy.identity.user_rows import COLUMNS as USER_COLUMNS

SHORTEST_IMPORTED = 16

#: Seconds for which the list of imported digests may be old.
FRESH = 0.5

#: Seconds for which a rotated key stays good beside its successor.
OVERLAP = 24 * 3600

COLUMNS = tuple(api_keys.c[field.name] for field in dataclasses.fields(Key))
BY_ID = select(*COLUMNS).where(api_keys.c.id == bindparam("key_id"))
BY_DIGEST = select(*COLUMNS).where(api_keys.c.digest == bindparam("key_digest"))
#: With a user of the key's app behind it, if there is that one.
WITH_USER = (
    select(*COLUMNS, *USER_COLUMNS)
    .select_from(api_keys)
    .join(apps, apps.c.id == api_keys.c.app_id)
    .outerjoin(
        users,
        and_(users.c.app_id == apps.c.id, users.c.external_id == bindparam("user"), ACTIVE),
    )
    .where(api_keys.c.digest == bindparam("key_digest"))
)
IMPORTED = select(api_keys.c.digest).where(
    api_keys.c.imported.is_(True), api_keys.c.revoked.is_(None)
)


class Keys:
    """The API keys of the directory."""

    def __init__(
        self,
        database: Database,
        key_format: KeyFormat,
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._format = key_format
        self._now = now
        self._monotonic = monotonic
        self._imported: frozenset[str] = frozenset()
        self._imported_read: float | None = None
        self._uses = KeyUses(database, now, monotonic)

    def id_of(self, text: str) -> str | None:
        """Return the id in a key that was made here, without asking the database."""
        return self._format.id_of(text)

    def find(self, text: str) -> Key | None:
        """Return the key, None unless it is in force; note that it was used."""
        return self._used(self._row_of(BY_DIGEST, text))

    def find_with_user(self, text: str, external_id: str) -> tuple[Key | None, User | None]:
        """Return a key as `find` does, and the user whom its app knows by this id.

        Most calls of a service are about one user: asking for both at once halves their cost.
        """
        row = self._row_of(WITH_USER, text, user=external_id)
        key = self._used(row)

        if row is None or key is None or row[len(COLUMNS)] is None:
            return key, None

        return key, user_of(row[len(COLUMNS) :])

    def is_known(self, key_id: str) -> bool:
        """Say whether there is, or was, a key of this id."""
        return self._database.row(BY_ID, key_id=key_id) is not None

    def find_even_ended(self, text: str) -> Key | None:
        """Return the key, expired and revoked ones too."""
        row = self._row_of(BY_DIGEST, text)
        return None if row is None else Key(*row)

    def create(
        self, name: str, app_id: str, kind: Kind = "platform", expires: float | None = None
    ) -> MadeKey:
        """Make a key; `expires` is in epoch seconds. Raises `IdentityError`."""
        key_id, text = self._format.make(kind)
        key = self._key(key_id, app_id, name, kind, expires, imported=False)
        self._insert(key, text)
        return MadeKey(key, text)

    def import_text(
        self, text: str, name: str, app_id: str, kind: Kind, expires: float | None
    ) -> Key:
        """Take over a key that was made elsewhere. Raises `IdentityError`."""
        # What a header field can carry as it is, and long enough not to be guessed.
        printable = text.isascii() and text.isprintable() and " " not in text

        if not printable or not SHORTEST_IMPORTED <= len(text) <= LONGEST_KEY:
            raise IdentityError(
                f"a key is {SHORTEST_IMPORTED} to {LONGEST_KEY} ASCII characters without spaces"
            )

        key_id = new_key_id(kind)
        key = self._key(key_id, app_id, name, kind, expires, imported=True)
        self._insert(key, text)
        return key

    def rotate(self, key_id: str, overlap: float = OVERLAP) -> MadeKey:
        """Make a successor; the key itself ends after `overlap` seconds. Raises `IdentityError`."""
        old = self._in_force(key_id)
        new_id, text = self._format.make(old.kind)
        new = self._successor(old, new_id)
        end = new.created + overlap
        end = end if old.expires is None else min(old.expires, end)

        with self._database.writing() as connection:
            ended = connection.execute(
                update(api_keys)
                .where(api_keys.c.id == key_id, api_keys.c.revoked.is_(None))
                .values(expires=end)
            )

            # Revoked since it was read: whoever ended it wants no successor.
            if ended.rowcount != 1:
                raise IdentityError(f"there is no key {key_id} in force")

            connection.execute(insert(api_keys).values(_row(new, text)))

        return MadeKey(new, text)

    def revoke(self, key_id: str) -> Key:
        """End a key at once. Raises `IdentityError` where there is none in force."""
        key = self._in_force(key_id)

        with self._database.writing() as connection:
            connection.execute(
                update(api_keys).where(api_keys.c.id == key_id).values(revoked=self._now())
            )

        return key

    def list(self, app_id: str | None = None) -> list[Key]:
        """Return all keys, oldest first, those that ended included."""
        wanted = select(*COLUMNS).order_by(api_keys.c.created, api_keys.c.id)

        if app_id is not None:
            wanted = wanted.where(api_keys.c.app_id == app_id)

        return [Key(*row) for row in self._database.rows(wanted)]

    def flush_uses(self) -> None:
        """Write now when each key was last used."""
        self._uses.flush()

    def _row_of(self, wanted: Select[*tuple[Any, ...]], text: str, **values: Any) -> AnyRow | None:
        if len(text) > LONGEST_KEY:
            return None

        digest = digest_of(text)

        # Junk must not cost a statement each: what we did not sign can only be an imported
        # key, and the list of those is read twice a second at most.
        if self.id_of(text) is None and digest not in self._imported_digests():
            return None

        return self._database.row(wanted, key_digest=digest, **values)

    def _used(self, row: AnyRow | None) -> Key | None:
        """Return the key that a row begins with, None unless it is in force; note its use."""
        key = None if row is None else Key(*row[: len(COLUMNS)])

        if key is None or not key.is_good(self._now()):
            return None

        self._uses.note(key.id)
        return key

    def _imported_digests(self) -> frozenset[str]:
        read = self._imported_read

        if read is None or self._monotonic() - read >= FRESH:
            self._imported = frozenset(row.digest for row in self._database.rows(IMPORTED))
            self._imported_read = self._monotonic()

        return self._imported

    def _key(
        self,
        key_id: str,
        app_id: str,
        name: str,
        kind: Kind,
        expires: float | None,
        *,
        imported: bool,
    ) -> Key:
        now = self._now()
        life = None if expires is None else expires - now
        return Key(
            key_id, app_id, checked_name(name), kind, imported, now, life, expires, None, None
        )

    def _successor(self, old: Key, key_id: str) -> Key:
        now = self._now()
        # From the life, not from what is left of it: the second rotation of a key would
        # otherwise make one that ends with the overlap.
        expires = None if old.life is None else now + old.life
        return dataclasses.replace(
            old, id=key_id, imported=False, created=now, expires=expires, last_used=None
        )

    def _in_force(self, key_id: str) -> Key:
        row = self._database.row(BY_ID, key_id=key_id)

        if row is None or not (key := Key(*row)).is_good(self._now()):
            raise IdentityError(f"there is no key {key_id} in force")

        return key

    def _insert(self, key: Key, text: str) -> None:
        refusal = f"there is no app {key.app_id}, or the key is there already"

        with self._database.writing(refusal=refusal) as connection:
            connection.execute(insert(api_keys).values(_row(key, text)))


def _row(key: Key, text: str) -> dict[str, Any]:
    return dataclasses.asdict(key) | {"digest": digest_of(text)}
