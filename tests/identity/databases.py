"""The two databases that the directory runs on, and what goes to them."""

import contextlib
from collections.abc import Iterator

import pytest
from sqlalchemy import event

from chatproxy.identity.directory import Directory
from tests.databases import run_at

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def make_empty(url: str) -> None:
    """Take everything out of a PostgreSQL database."""
    run_at(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")


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
