"""`chatproxy db …`: the directory's database."""

import contextlib
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from chatproxy import settings
from chatproxy.cli.directory import open_directory
from chatproxy.cli.examples import examples
from chatproxy.cli.exits import AWAY, NO, Failure
from chatproxy.cli.files import new_file
from chatproxy.cli.output import as_json, print_result
from chatproxy.clock import Clock
from chatproxy.identity import schema, sqlite_backup
from chatproxy.identity.database import Database
from chatproxy.identity.schema_version import newest
from chatproxy.settings.postgresql_url import without_secrets


@click.group("db")
def group() -> None:
    """Keep the directory's database."""


@group.command("upgrade", epilog=examples("chatproxy db upgrade", "chatproxy db upgrade --json"))
@as_json
def upgrade(as_json: bool) -> None:
    """Bring the database to the newest schema; harmless where it is there already."""
    with open_directory(upgraded=True) as directory:
        found = schema.version(directory.database)

    if as_json:
        print_result({"version": found}, as_json=True)
    else:
        click.echo("the directory's schema is up to date", err=True)


@group.command("current", epilog=examples("chatproxy db current", "chatproxy db current --json"))
@as_json
def current(as_json: bool) -> None:
    """Show the schema's version, and the one that this release needs.

    The exit code is 1 where they differ. Nothing is made or changed.
    """
    found = settings.load_database()
    path = found.sqlite_path

    # To open a SQLite file would make it.
    if path is not None and not path.exists():
        version = None
    else:
        with contextlib.closing(Database(found.url, Clock().monotonic)) as database:
            version = schema.version(database)

    row = standing(version)
    print_result(row, as_json=as_json)

    if row["state"] != "current":
        sys.exit(NO)


def standing(version: str | None) -> dict[str, Any]:
    """Return the schema's version, the one that is needed, and how the two stand."""
    state = schema.fault_in(version) or "current"
    return {"version": version, "needed": newest(), "state": state}


@group.command(
    "backup",
    epilog=examples(
        "chatproxy db backup /backup/chatproxy-$(date +%F).db",
        "chatproxy db backup latest.db --force --json",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@as_json
def backup(file: Path, force: bool, as_json: bool) -> None:
    """Copy a SQLite database to FILE while the sidecar serves.

    The copy is of one moment, is checked, and is readable by its owner only. Keep it as you keep a
    secret, and the folder of kept secrets with it. Of PostgreSQL it says which command makes one.
    """
    found = settings.load_database()
    path = found.sqlite_path

    if path is None:
        url = without_secrets(found.database_url)
        command = shlex.join(["pg_dump", "--format=custom", f"--file={file}", f"--dbname={url}"])
        raise Failure(
            f"PostgreSQL has a program of its own for this. With the password in PGPASSFILE: "
            f"{command}",
            NO,
        )

    if not path.is_file():
        raise Failure(f"there is no database at {path}", AWAY)

    if file.exists() and file.samefile(path):
        raise Failure(f"{file} is the database itself: name another file", NO)

    with new_file(file, force=force) as made:
        sqlite_backup.copy(path, made)
        size = made.stat().st_size

    print_result({"file": str(file), "bytes": size}, as_json=as_json)
