"""Bringing a database to the newest schema."""

from typing import Literal

from sqlalchemy import Connection, text

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.database import Database, lacks_schema
from chatproxy.identity.schema_version import known, newest

SchemaFault = Literal["missing", "older", "newer"]

VERSION = text("SELECT version_num FROM alembic_version")

#: Names the lock under which replicas upgrade a PostgreSQL database one after the other.
UPGRADE_LOCK = 0x63686174


def upgrade(database: Database) -> None:
    """Run the migrations that are missing, all or none; raise `DirectoryUnavailable`.

    Of two processes at once the second waits, and then finds nothing to do.
    """
    if is_current(database):
        return

    # Alembic is large and hardly ever needed, but each start and each command calls this.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "chatproxy.identity:migrations")

    with database.writing(watched=False) as connection:
        if not database.is_sqlite:
            _take_upgrade_lock(connection)

        config.attributes["connection"] = connection

        try:
            command.upgrade(config, "head")
        except CommandError as error:  # Alembic does not know the revision that it found
            raise DirectoryUnavailable(
                "The directory's schema is of a later release.", detail=str(error)
            ) from error


def _take_upgrade_lock(connection: Connection) -> None:
    # Changing a large table, or waiting for a replica that does, takes what it takes.
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})


def is_current(database: Database) -> bool:
    """Say whether the database has the schema that this release knows as the newest."""
    try:
        with database.reading(optional=True) as connection:
            found = connection.execute(VERSION).scalar()
    except DirectoryUnavailable:  # no schema at all; any other fault shows in the upgrade
        return False

    return bool(found == newest())


def version(database: Database) -> str | None:
    """Return the version of the schema, None for none; raise `DirectoryUnavailable`."""
    try:
        with database.reading() as connection:
            found = connection.execute(VERSION).scalar()
    except DirectoryUnavailable as error:
        if lacks_schema(error.detail):
            return None

        raise

    return None if found is None else str(found)


def fault_of(database: Database) -> SchemaFault | None:
    """Say what keeps this release from using the schema; raise `DirectoryUnavailable`."""
    return fault_in(version(database))


def fault_in(found: str | None) -> SchemaFault | None:
    """Say what keeps this release from using a schema of this version, None for no schema."""
    if found is None:
        return "missing"

    if found == newest():
        return None

    # Each release knows all versions before its own.
    return "older" if found in known() else "newer"
