"""Databases that tests make and drop: SQLite always, PostgreSQL where a server is named."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

KINDS = ("sqlite", "postgresql")
SERVER = "TEST_DATABASE_URL"


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database that is dropped afterwards; it has no schema yet."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{secrets.token_hex(6)}.db"
        return

    import psycopg

    server = os.environ.get(SERVER)

    if not server:
        pytest.skip(f"{SERVER} names no PostgreSQL server")

    name = f"chatproxy_{secrets.token_hex(6)}"

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')

        try:
            yield server.rpartition("/")[0] + f"/{name}"
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
