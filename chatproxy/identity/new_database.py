"""Making a SQLite file that has the newest schema, without the libraries that migrate.

The server's first process does it at a first start: a migration in a process of its own would take
longer than the whole start.
"""

import contextlib
import sqlite3
from importlib.resources import files
from pathlib import Path

from chatproxy.settings.private_files import make_file


def make(path: Path) -> bool:
    """Make a file where there is none, with all tables or none; say whether it was made.

    False is no failure: one is there, or a migration will say why it cannot be made.
    """
    try:
        make_file(path)
        script = files("chatproxy.identity.migrations").joinpath("newest.sql").read_text("utf-8")
        opened = sqlite3.connect(path, isolation_level=None)

        with contextlib.closing(opened) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")

            # Fails where another process found the file still empty, and migrated it first.
            for statement in script.split(";\n"):
                connection.execute(statement)

            connection.execute("COMMIT")
    except (OSError, sqlite3.Error):
        return False

    return True
