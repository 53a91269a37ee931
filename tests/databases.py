"""Databases that tests make and drop: SQLite always, PostgreSQL where a server is named.

A schema is migrated once for each kind and process, and copied from then on: migrating costs
more than most tests do.
"""

import atexit
import functools
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from chatproxy.identity.directory import Directory
from chatproxy.identity.schema import upgrade

KINDS = ("sqlite", "postgresql")
SERVER_VARIABLE = "TEST_DATABASE_URL"


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database without a schema, dropped afterwards; skip without a server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{secrets.token_hex(6)}.db"
        return

    with _postgresql("template0") as url:
        yield url


@contextmanager
def new_directory(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database that has the newest schema, as `new_database` does."""
    if kind == "sqlite":
        path = folder / f"{secrets.token_hex(6)}.db"
        shutil.copyfile(_sqlite_template(), path)
        path.chmod(0o600)
        yield f"sqlite:///{path}"
        return

    with _postgresql(_postgresql_template()) as url:
        yield url


@contextmanager
def odd_database(made: str) -> Iterator[str]:
    """Yield the URL of a PostgreSQL database that is made with these options of CREATE DATABASE."""
    with _postgresql(f"template0 {made}") as url:
        yield url


def migrate(url: str) -> None:
    """Bring a database to the newest schema."""
    with closing(Directory(url, ["s" * 40], now=time.time, monotonic=time.monotonic)) as directory:
        upgrade(directory.database)


def run_at(url: str, statement: str) -> None:
    """Run a statement on a connection that has nothing to do with the directory."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    with engine.connect() as connection:
        connection.execute(text(statement))


@contextmanager
def taking_no_writes(url: str) -> Iterator[None]:
    """Have a PostgreSQL database refuse writes, as around a failover, and cut who is connected."""
    name = make_url(url).database
    admin = _admin()
    ours = f"datname = '{name}' AND application_name = 'chatproxy'"
    cut = f"SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE {ours}"
    run_at(admin, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    run_at(admin, cut)

    try:
        yield
    finally:
        # Who is connected stays connected, and was told at its beginning to refuse.
        run_at(admin, f"ALTER DATABASE {name} RESET default_transaction_read_only")


@functools.cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="chatproxy-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate(f"sqlite:///{folder}/template.db")
    return folder / "template.db"


@functools.cache
def _postgresql_template() -> str:
    """Make a database to copy, and return its name. Nobody may be connected to it meanwhile."""
    made = _postgresql("template0", f"chatproxy_template_{secrets.token_hex(8)}")
    url = made.__enter__()
    atexit.register(made.__exit__, None, None, None)
    migrate(url.replace("postgresql:", "postgresql+psycopg:", 1))
    return str(make_url(url).database)


@contextmanager
def _postgresql(template: str, name: str | None = None) -> Iterator[str]:
    admin = _admin()
    name = name or f"chatproxy_test_{secrets.token_hex(8)}"
    run_at(admin, f"CREATE DATABASE {name} TEMPLATE {template}")

    try:
        run_at(admin, f"ALTER DATABASE {name} SET synchronous_commit = off")
        own = make_url(admin).set(database=name, drivername="postgresql")
        yield own.render_as_string(hide_password=False)
    finally:
        run_at(admin, f"DROP DATABASE {name} WITH (FORCE)")


def _admin() -> str:
    server = os.environ.get(SERVER_VARIABLE)

    if not server:
        pytest.skip(f"{SERVER_VARIABLE} is not set: a PostgreSQL server for the tests")

    url = make_url(server).set(drivername="postgresql+psycopg")
    return url.render_as_string(hide_password=False)
