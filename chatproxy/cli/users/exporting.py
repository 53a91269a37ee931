"""`chatproxy users export`."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

import click

from chatproxy.cli.directory import open_directory
from chatproxy.cli.examples import examples
from chatproxy.cli.files import cannot_be_written, new_file
from chatproxy.cli.output import as_json, print_result
from chatproxy.cli.users import csv_records, json_lines
from chatproxy.cli.users.records import Format
from chatproxy.errors import IdentityError
from chatproxy.identity.records import DEFAULT_APP, User

Write = Callable[[User], bytes]

EXAMPLES = examples(
    "chatproxy users export users.csv",
    "chatproxy users export users.jsonl --app shop --force --json",
    "chatproxy users export - --format csv | gzip > users.csv.gz",
)


@click.command("export", epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path), default="-")
@click.option("--app", default=DEFAULT_APP, show_default=True, help="The app whose users they are.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    help="Absent: CSV where the name ends in .csv, else JSON lines.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@as_json
def export_users(file: Path, app: str, form: Format | None, force: bool, as_json: bool) -> None:
    """Write the users of an app as a file. `-`, or none, is stdout.

    It is what `users import` reads, with the users as they are at one moment, while others write.
    A file is complete or not there, and readable by its owner only. Values are written as they
    are: open a CSV of users that you do not trust in no spreadsheet, which may run formulas.
    """
    is_csv = form == "csv" or (form is None and file.suffix.lower() == ".csv")
    write: Write = csv_records.row_of if is_csv else json_lines.line_of
    head = csv_records.header() if is_csv else b""

    with open_directory() as directory:
        if app not in {one.id for one in directory.apps.list()}:
            raise IdentityError(f"there is no app {app}")

        users = directory.bulk_users.all(app)

        if str(file) == "-":
            with click.open_file("-", "wb") as stdout:
                _write(stdout, head, users, write)

            return

        # A pipe or a device is written to; it has no place for a file beside it.
        if file.exists() and not (file.is_file() or file.is_dir()):
            count = _write_to(file, file, head, users, write)
        else:
            with new_file(file, force=force) as made:
                count = _write_to(made, file, head, users, write)

    print_result({"exported": count, "file": str(file)}, as_json=as_json)


def _write_to(path: Path, called: Path, head: bytes, users: Iterable[User], write: Write) -> int:
    try:
        with path.open("wb") as file:
            return _write(file, head, users, write)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise cannot_be_written(called, error) from error


def _write(file: IO[bytes], head: bytes, users: Iterable[User], write: Write) -> int:
    count = 0
    file.write(head)

    for user in users:
        file.write(write(user))
        count += 1

    file.flush()
    return count
