"""Looks at the directory's database, and changes nothing in it."""

import contextlib
from collections.abc import Iterator

from chatproxy.cli.check.findings import Finding
from chatproxy.cli.db import standing
from chatproxy.clock import Clock
from chatproxy.errors import ChatproxyError
from chatproxy.identity import schema
from chatproxy.identity.database import Database
from chatproxy.settings.directory import DirectorySettings
from chatproxy.settings.private_files import database_fault


def look(found: DirectorySettings) -> Iterator[Finding]:
    """Yield what is found. The settings must be sound."""
    path = found.sqlite_path

    if path is not None and (fault := database_fault(path)):
        yield _error(fault)
        return

    if path is not None and not path.exists():
        yield Finding("ok", "database", f"{path} is not there yet: the start makes it")
        return

    try:
        with contextlib.closing(Database(found.url, Clock().monotonic)) as database:
            yield from _standing(schema.version(database), is_sqlite=path is not None)

            if advice := database.advice:
                yield Finding("warning", "database", advice)

            if schema.is_current(database):
                # It writes a row as it was: whoever may not write shows here.
                database.ping()
    except ChatproxyError as error:
        yield _error(f"{error.detail or error.message}. Look at DATABASE_URL, and at its server")


def _standing(version: str | None, *, is_sqlite: bool) -> Iterator[Finding]:
    row = standing(version)
    state, needed = row["state"], row["needed"]

    if state == "current":
        yield Finding("ok", "database", f"its schema is {needed}, as needed")
    elif state == "newer":
        yield _error(
            f"its schema is {version}, of a later release; this one knows {needed}. "
            "Run that release, or restore a backup"
        )
    elif is_sqlite:
        yield Finding("ok", "database", f"its schema is {state}: the start makes it {needed}")
    else:
        yield _error(f"its schema is {state}, and {needed} is needed: run `chatproxy db upgrade`")


def _error(message: str) -> Finding:
    return Finding("error", "database", message, variable="DATABASE_URL")
