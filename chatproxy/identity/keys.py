"""API keys: made, found, rotated, revoked. What their texts look like is in `keytexts`."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from chatproxy.identity.apps import IdentityError, named
from chatproxy.identity.engine import Database
from chatproxy.identity.keytexts import LONGEST_KEY, KeySigner, Kind, digest_of, new_key_id
from chatproxy.identity.keyuses import Uses
from chatproxy.identity.models import api_keys

SHORTEST_IMPORTED = 16

#: Seconds for which the list of imported digests may be old.
FRESH = 0.5

#: Seconds for which a rotated key stays good beside its successor.
OVERLAP = 24 * 3600


@dataclasses.dataclass(frozen=True)
class Key:
    """What is known of a key. Times are epoch seconds.

    `life` is how many seconds it was made for; a rotation shortens `expires` only.
    """

    id: str
    app_id: str
    name: str
    kind: Kind
    imported: bool
    created: float
    life: float | None
    expires: float | None
    revoked: float | None
    last_used: float | None

    def is_good(self, now: float) -> bool:
        """Say whether the key is in force."""
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclasses.dataclass(frozen=True)
class MadeKey:
    """A key that was just made: the only moment at which its text is known."""

    key: Key
    text: str = dataclasses.field(repr=False)

    def parts(self) -> dict[str, str]:
        """Return what its owner has to write down."""
        if self.key.kind == "client":
            return {"clientKey": self.text}

        key_id, _, secret = self.text.partition(".")
        return {"keyId": key_id, "keySecret": secret, "apiKey": self.text}


class Keys:
    """The API keys of the directory."""

    def __init__(
        self,
        database: Database,
        signer: KeySigner,
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._signer = signer
        self._now = now
        self._monotonic = monotonic
        self._imported: frozenset[str] = frozenset()
        self._imported_read: float | None = None
        self._uses = Uses(database, now, monotonic)

    def id_of(self, text: str) -> str | None:
        """Return the id in a key that was made here; nothing is looked up."""
        return self._signer.id_of(text) if len(text) <= LONGEST_KEY else None

    def find(self, text: str) -> Key | None:
        """Return the key in force that this is, None where it is none."""
        key = self.look_up(text)

        if key is None or not key.is_good(self._now()):
            return None

        self._uses.note(key.id)
        return key

    def is_known(self, key_id: str) -> bool:
        """Say whether there is, or was, a key of this id."""
        wanted = select(api_keys.c.id).where(api_keys.c.id == key_id)

        with self._database.reading() as connection:
            return connection.execute(wanted).first() is not None

    def look_up(self, text: str) -> Key | None:
        """Return the key that this is, or was.

        What we did not sign is looked up only where its digest is among those of
        the imported keys, a list that is read twice a second at most.
        """
        if len(text) > LONGEST_KEY:
            return None

        digest = digest_of(text)

        if self.id_of(text) is None and digest not in self._imported_digests():
            return None

        wanted = select(api_keys).where(api_keys.c.digest == digest)

        with self._database.reading() as connection:
            row = connection.execute(wanted).mappings().first()

        return None if row is None else _key_of(row)

    def create(
        self, name: str, app_id: str, kind: Kind = "platform", expires: float | None = None
    ) -> MadeKey:
        """Make a key; `expires` is in epoch seconds. Raises `IdentityError`."""
        key_id, text = self._signer.make(kind)
        key = self._key(key_id, app_id, name, kind, expires, imported=False)
        self._insert([_row(key, text)], app_id)
        return MadeKey(key, text)

    def import_text(
        self, text: str, name: str, app_id: str, kind: Kind, expires: float | None
    ) -> Key:
        """Take over a key that was made elsewhere. Raises `IdentityError`."""
        printable = text.isascii() and text.isprintable() and " " not in text

        if not printable or not SHORTEST_IMPORTED <= len(text) <= LONGEST_KEY:
            raise IdentityError(
                f"a key is {SHORTEST_IMPORTED} to {LONGEST_KEY} ASCII characters without spaces"
            )

        key_id = new_key_id(kind)
        key = self._key(key_id, app_id, name, kind, expires, imported=True)
        self._insert([_row(key, text)], app_id)
        return key

    def rotate(self, key_id: str, overlap: float = OVERLAP) -> MadeKey:
        """Make a successor; the key itself ends after `overlap` seconds. Raises `IdentityError`."""
        old = self._in_force(key_id)
        new_id, text = self._signer.make(old.kind)
        now = self._now()
        new = dataclasses.replace(
            old,
            id=new_id,
            imported=False,
            created=now,
            expires=None if old.life is None else now + old.life,
            last_used=None,
        )
        end = now + overlap if old.expires is None else min(old.expires, now + overlap)

        with self._database.writing() as connection:
            ended = connection.execute(
                update(api_keys)
                .where(api_keys.c.id == key_id, api_keys.c.revoked.is_(None))
                .values(expires=end)
            )

            if ended.rowcount != 1:  # a key that was just revoked has no successor
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
        wanted = select(api_keys).order_by(api_keys.c.created, api_keys.c.id)

        if app_id is not None:
            wanted = wanted.where(api_keys.c.app_id == app_id)

        with self._database.reading() as connection:
            return [_key_of(row) for row in connection.execute(wanted).mappings()]

    def flush_uses(self) -> None:
        """Write when each key was last used; raise `DirectoryUnavailable`."""
        self._uses.flush()

    def _imported_digests(self) -> frozenset[str]:
        read = self._imported_read

        if read is None or self._monotonic() - read >= FRESH:
            wanted = select(api_keys.c.digest).where(
                api_keys.c.imported.is_(True), api_keys.c.revoked.is_(None)
            )

            with self._database.reading() as connection:
                self._imported = frozenset(connection.execute(wanted).scalars())

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
        return Key(key_id, app_id, named(name), kind, imported, now, life, expires, None, None)

    def _in_force(self, key_id: str) -> Key:
        with self._database.reading() as connection:
            row = (
                connection.execute(select(api_keys).where(api_keys.c.id == key_id))
                .mappings()
                .first()
            )

        if row is None or not _key_of(row).is_good(self._now()):
            raise IdentityError(f"there is no key {key_id} in force")

        return _key_of(row)

    def _insert(self, rows: Sequence[dict[str, Any]], app_id: str) -> None:
        try:
            with self._database.writing() as connection:
                connection.execute(insert(api_keys), rows)
        except IntegrityError as error:
            raise IdentityError(f"there is no app {app_id}, or the key is there already") from error


def _row(key: Key, text: str) -> dict[str, Any]:
    return dataclasses.asdict(key) | {"digest": digest_of(text)}


def _key_of(row: RowMapping) -> Key:
    return Key(**{name: value for name, value in row.items() if name != "digest"})
