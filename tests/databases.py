"""Databases that tests make and drop: SQLite always, PostgreSQL where a server is named."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

KINDS = ("sqlite", "postgresql")
SERVER_VARIABLE = "TEST_DATABASE_URL"


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database without a schema, dropped afterwards; skip without a server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{secrets.token_hex(6)}.db"
        return

    server = os.environ.get(SERVER_VARIABLE)

    if not server:
        pytest.skip(f"{SERVER_VARIABLE} is not set: a PostgreSQL server for the tests")

    url = make_url(server).set(drivername="postgresql+psycopg")
    admin = url.render_as_string(hide_password=False)
    name = f"chatproxy_test_{secrets.token_hex(8)}"
    run_at(admin, f"CREATE DATABASE {name} TEMPLATE template0")

    try:
        run_at(admin, f"ALTER DATABASE {name} SET synchronous_commit = off")
        own = url.set(database=name, drivername="postgresql")
        yield own.render_as_string(hide_password=False)
    finally:
        run_at(admin, f"DROP DATABASE {name} WITH (FORCE)")


def run_at(url: str, statement: str) -> None:
    """Run a statement on a connection that has nothing to do with the directory."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    with engine.connect() as connection:
        connection.execute(text(statement))
