"""The two databases that the directory runs on, and what goes to them."""

import contextlib
import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import event

from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.identity.schema import upgrade
from chatproxy.identity.tables import metadata
from tests.databases import run_at

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

#: Every column of every table, as a text to compare.
SHAPE = """
    SELECT string_agg(concat_ws('.', relname, attname, atttypid), ' ' ORDER BY relname, attnum)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
"""


def make_empty(url: str) -> None:
    """Take everything out of a PostgreSQL database."""
    run_at(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def give_tables(url: str) -> None:
    """Run the migrations."""
    directory = Directory(url, ["unused"], now=time.time, monotonic=time.monotonic)

    with contextlib.closing(directory):
        upgrade(directory.database)


class PreparedDatabase:
    """A PostgreSQL database with the tables. Migrating one for each test would take a minute."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._server = psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)
        self._rebuild()

    def renew(self) -> None:
        """Make the rows as after the migrations; the tables too, where a test changed them."""
        if self._shape_now() != self._shape:
            self._rebuild()
            return

        tables = reversed(metadata.sorted_tables)
        deleting = [f"DELETE FROM {table.name}" for table in tables if table.name != "apps"]
        others = f"DELETE FROM apps WHERE id != '{DEFAULT_APP}'"
        first = "UPDATE apps SET name = id, token_version = 0, tokens_valid_after = NULL"
        self._server.execute("; ".join([*deleting, others, first]))

    def close(self) -> None:
        self._server.close()

    def _rebuild(self) -> None:
        make_empty(self.url)
        give_tables(self.url)
        self._shape = self._shape_now()

    def _shape_now(self) -> str:
        row = self._server.execute(SHAPE).fetchone()
        return row[0] if row else ""


@contextlib.contextmanager
def statements(directory: Directory) -> Iterator[list[str]]:
    """Everything that a directory asks its database meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(directory.database.engine, "before_cursor_execute", note)

    try:
        yield seen
    finally:
        event.remove(directory.database.engine, "before_cursor_execute", note)
