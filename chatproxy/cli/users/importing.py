"""`chatproxy users import`."""

import contextlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import click

from chatproxy.cli.directory import open_directory
from chatproxy.cli.examples import examples
from chatproxy.cli.exits import AWAY, NO, Failure
from chatproxy.cli.interruption import Interrupted, Interruption
from chatproxy.cli.output import as_json, print_result
from chatproxy.cli.users.csv_records import CSVRecords
from chatproxy.cli.users.json_lines import JSONLines
from chatproxy.cli.users.records import Format, Reader, Record
from chatproxy.cli.users.writing import Import
from chatproxy.errors import DirectoryUnavailable, IdentityError
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP

#: Bad rows that an answer in JSON lists. The others are counted.
MOST_LISTED = 1000

#: The name of a file that stands for it.
STDOUT = "-"

EXAMPLES = examples(
    "chatproxy users import users.csv --rejects bad.csv",
    "chatproxy users import users.jsonl --all-or-nothing --json",
    "zcat users.csv.gz | chatproxy users import - --format csv --app shop",
)


class Rejects:
    """Tells of bad records: on stderr, or in the answer, and in a file where one is named."""

    def __init__(self, file: BinaryIO | None, reader: Reader, *, listed: bool) -> None:
        self.count = 0
        self.rows: list[dict[str, Any]] = []
        self._file = file
        self._reader = reader
        self._listed = listed

    def __call__(self, record: Record, reason: str) -> None:
        """Tell of one."""
        self.count += 1

        if not self._listed:
            click.echo(f"line {record.line}: {reason}", err=True)
        elif len(self.rows) < MOST_LISTED:
            self.rows.append({"line": record.line, "reason": reason})

        if self._file is not None:
            if self.count == 1:
                _make_private(self._file)

            head = self._reader.head if self.count == 1 else b""
            end = b"" if record.raw.endswith(b"\n") else b"\n"
            self._file.write(head + record.raw + end)


@click.command("import", epilog=EXAMPLES)
@click.argument("file", type=click.File("rb"))
@click.option("--app", default=DEFAULT_APP, show_default=True, help="The app whose users they are.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    help="Absent: CSV where the name ends in .csv, else JSON lines.",
)
@click.option("--all-or-nothing", is_flag=True, help="Write nothing where a row is bad.")
@click.option(
    "--rejects", type=click.File("wb", lazy=True), help="Where bad rows go, as they stand."
)
@as_json
def import_users(
    file: BinaryIO,
    app: str,
    form: Format | None,
    all_or_nothing: bool,
    rejects: BinaryIO | None,
    as_json: bool,
) -> None:
    """Make or change the users in a file. `-` is stdin.

    JSON lines have an object on each line, with `userId` and perhaps `name`, `image`, `email` and
    `custom`; CSV has these names as columns, in any order, and JSON in `custom`. What is absent
    or empty is left as it is. Bad rows are listed and left out, and then the exit code is 1. Where
    an id is there twice, the later row comes after the earlier one.
    """
    _check_rejects(file, rejects)
    reader = _reader(file, form)
    bad = Rejects(rejects, reader, listed=as_json)

    with open_directory() as directory, Interruption()() as stop:
        _check_app(directory, app)
        taken = Import(directory, app, bad, stop)

        try:
            with _progress(file, reader.records()) as records:
                if not all_or_nothing:
                    taken.take(records)
                elif not taken.take_all_or_nothing(records) and not as_json:
                    click.echo("nothing is in: a row is bad", err=True)
        except DirectoryUnavailable as error:
            detail = f"{error.detail}; {_what_is_in(taken, all_or_nothing)}"
            raise DirectoryUnavailable(error.message, detail=detail) from error
        except Interrupted as error:
            text = f"interrupted; {_what_is_in(taken, all_or_nothing)}"
            raise Failure(text, 128 + error.number) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = f"{error.strerror}; {_what_is_in(taken, all_or_nothing)}"
            raise Failure(f"a file cannot be read or written ({reason})", AWAY) from error

    _report(taken, bad, reader, as_json=as_json)


def _reader(file: BinaryIO, form: Format | None) -> Reader:
    is_csv = form == "csv" or (form is None and str(file.name).lower().endswith(".csv"))
    return CSVRecords(file) if is_csv else JSONLines(file)


def _check_rejects(file: BinaryIO, rejects: BinaryIO | None) -> None:
    if rejects is None:
        return

    # It would be emptied while it is read.
    with contextlib.suppress(OSError, ValueError):
        found = os.fstat(file.fileno())

        if stat.S_ISREG(found.st_mode) and os.path.samestat(found, os.stat(rejects.name)):
            raise click.UsageError("--rejects: is the file that is imported. Name another one")


def _make_private(rejects: BinaryIO) -> None:
    # Bad rows hold what good ones do. A file that is there keeps its mode.
    if rejects.name != STDOUT:
        with contextlib.suppress(OSError):  # told where it is opened
            os.close(os.open(rejects.name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _check_app(directory: Directory, app: str) -> None:
    if app not in {one.id for one in directory.apps.list()}:
        raise IdentityError(f"there is no app {app}")


@contextlib.contextmanager
def _progress(file: BinaryIO, records: Iterable[Record]) -> Iterator[Iterable[Record]]:
    """Show a bar at a terminal, where it is known how much there is to read."""
    size = _size(file)

    if not size or not sys.stderr or not sys.stderr.isatty():
        yield records
        return

    step = max(size // 100, 1)

    with click.progressbar(
        length=size, label="import", file=sys.stderr, update_min_steps=step
    ) as bar:

        def counted() -> Iterator[Record]:
            for record in records:
                bar.update(len(record.raw))
                yield record

            bar.update(max(size - bar.pos, 0) + step)  # the header, and what is blank

        yield counted()


def _size(file: BinaryIO) -> int:
    with contextlib.suppress(OSError, ValueError):
        return os.fstat(file.fileno()).st_size

    return 0


def _what_is_in(taken: Import, all_or_nothing: bool) -> str:
    if all_or_nothing and taken.is_ending:
        return "all may be in, or nothing. Import the file again: what is in stays as it is"

    if all_or_nothing:
        return "nothing is in"

    count = taken.counts.total()
    return (
        f"{count} users are in: what stands before line {taken.next_line} is in. "
        "Import the file again: what is in stays as it is"
    )


def _report(taken: Import, bad: Rejects, reader: Reader, *, as_json: bool) -> None:
    document: dict[str, Any] = {
        **dict(taken.counts.items()),
        "bad": bad.rows if as_json else bad.count,
    }

    if as_json and bad.count > len(bad.rows):
        document["moreBad"] = bad.count - len(bad.rows)

    if ignored := list(getattr(reader, "ignored", ())):
        if as_json:
            document["ignoredColumns"] = ignored
        else:
            click.echo(f"ignored columns: {', '.join(map(repr, ignored))}", err=True)

    print_result(document, as_json=as_json)

    if bad.count:
        sys.exit(NO)
