"""Bringing a database to the newest schema."""

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.engine import Database

#: Names the lock under which replicas upgrade a PostgreSQL database one after the other.
UPGRADE_LOCK = 0x63686174


def upgrade(database: Database) -> None:
    """Run the migrations that are missing, all or none; raise `DirectoryUnavailable`.

    Two at once do it once: the second waits, and finds nothing to do.
    """
    config = Config()
    config.set_main_option("script_location", "chatproxy.identity:migrations")

    with database.writing(watched=False) as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})

        config.attributes["connection"] = connection

        try:
            command.upgrade(config, "head")
        except CommandError as error:  # what it finds there is of a later release
            raise DirectoryUnavailable(
                "The directory's schema is of a later release.", detail=str(error)
            ) from error
