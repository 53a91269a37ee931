"""Copying a SQLite file while others write to it (https://sqlite.org/backup.html)."""

import contextlib
import sqlite3
from pathlib import Path

from chatproxy.errors import DirectoryUnavailable


def copy(source: Path, target: Path) -> None:
    """Copy a database, as it is at one moment, into a file that is there and empty.

    Nobody waits for it: in WAL mode who reads keeps no one from writing. Raises
    `DirectoryUnavailable`, also where the copy is not whole.
    """
    try:
        # Read only, so that a wrong path does not make a database.
        with (
            contextlib.closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as ours,
            contextlib.closing(sqlite3.connect(target)) as copied,
        ):
            # All in one step: after each, what others have written meanwhile begins it anew.
            ours.backup(copied, pages=-1)
            fault = copied.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        reason = f"{type(error).__name__}: {error}"
        raise DirectoryUnavailable("The database cannot be copied.", detail=reason) from error

    if fault != "ok":
        raise DirectoryUnavailable("The database is damaged.", detail=fault)
