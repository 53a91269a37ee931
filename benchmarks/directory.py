"""A sidecar that knows users: its database, its key, what is asked of it and what it kept."""

import collections
import contextlib
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.processes import NOBODY, Server, sidecar
from benchmarks.request import Request
from tests import commands

#: The servers of this machine, unless the tests' variables name others.
POSTGRESQL = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")

OFTEN = "100000 per minute"
SECRET = "benchmark-{}-secret-of-no-account-at-all-0001"
SETTINGS = {
    "PROVIDERS": "stream,chatsdk",
    "CHATSDK_JWT_SECRET": SECRET.format("rest"),
    "CENTRIFUGO_TOKEN_SECRET": SECRET.format("websocket"),
    "KEY_SIGNING_SECRET": SECRET.format("key"),
    "TOKEN_RATE_LIMIT": OFTEN,
}


@contextlib.contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of an empty database, as durable as the server makes them; drop it then."""
    name = f"chatproxy_benchmark_{secrets.token_hex(6)}"

    if kind == "sqlite":
        yield f"sqlite:///{folder}/{name}.db"
        return

    import psycopg

    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")

        try:
            yield f"{POSTGRESQL.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def serving(
    folder: Path,
    url: str,
    upstream_port: int = NOBODY,
    *,
    prepare: Callable[[], None] = lambda: None,
    **settings: str,
) -> Iterator[tuple[Server, str]]:
    """Start a sidecar on an empty database; give it and an API key.

    `prepare` is called when the database has its tables and the key.
    """
    made = sidecar(folder, upstream_port, **SETTINGS | {"DATABASE_URL": url} | settings)
    upgraded = commands.run(made.environ, "db", "upgrade")

    if upgraded.returncode:
        raise RuntimeError(upgraded.stderr)

    key = commands.answer(made.environ, "keys", "create", "benchmark")["apiKey"]

    prepare()

    with made:
        yield made, key


def issue(key: str, user_id: str, *, each: int = 1, numbers: int = 2**31) -> Request:
    """Return `POST /tokens`; `{number}` in the user's id is the request's."""
    body = json.dumps({"userId": user_id, "name": f"Name of {user_id}"})
    return Request("/tokens", "POST", key, body, each, numbers)


def reasons(server: Server) -> dict[str, int]:
    """Count what the sidecar's log says of the requests that failed."""
    errors = [line["error"] for line in lines(server) if "error" in line]
    told = (one.get("detail") or one["message"] for one in errors)
    return collections.Counter(one.partition(" (Background on ")[0] for one in told)


def lines(server: Server) -> list[dict[str, Any]]:
    """Return the lines that the sidecar wrote of requests."""
    every = [json.loads(line) for line in server.output.read_text().splitlines()]
    return [line for line in every if line["msg"] == "request completed"]


def user_ids(url: str) -> list[str]:
    """Return the id of every user in the database, as one who looks into it sees them."""
    wanted = "SELECT external_id FROM users"

    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return [row[0] for row in connection.execute(wanted)]

    import psycopg

    with psycopg.connect(url) as server:
        return [row[0] for row in server.execute(wanted)]
