"""What the commands share: opening the directory, and printing results."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import click

from chatproxy import settings
from chatproxy.clock import Clock
from chatproxy.errors import ChatproxyError, SettingsError
from chatproxy.formats import durations
from chatproxy.identity.directory import Directory
from chatproxy.identity.schema import upgrade

#: Seconds of a hundred years. A longer duration is a typing error.
LONGEST = 36_500 * 24 * 3600

as_json = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")


@contextlib.contextmanager
def open_directory(*, upgraded: bool = False) -> Iterator[Directory]:
    """Open the directory that the environment names, and turn errors into click's.

    A SQLite file is upgraded to the newest schema, as at the start of the sidecar. A
    PostgreSQL database is upgraded only on request: several sidecars may be using it.
    """
    clock = Clock()

    try:
        found = settings.load_for_commands()
        assert found.directory is not None  # noqa: S101 - it is read for commands
        assert found.keys is not None  # noqa: S101

        if found.kept is not None and found.kept.made:
            click.echo(
                f"{', '.join(found.kept.made)} is not set here: made, and kept in "
                f"{found.kept.folder}. A sidecar with another one refuses the keys made here.",
                err=True,
            )

        directory = Directory(
            found.directory.url,
            found.keys.signing_secrets,
            now=clock.now,
            monotonic=clock.monotonic,
        )

        with contextlib.closing(directory):
            if upgraded or directory.database.is_sqlite:
                upgrade(directory.database)

            yield directory
    except SettingsError as error:
        raise click.ClickException(error.message) from error
    except ChatproxyError as error:
        detail = f" ({error.detail})" if error.detail else ""
        raise click.ClickException(f"{error.message}{detail}") from error


def print_result(document: Any, *, as_json: bool) -> None:
    """Print an object, or a list of them, as JSON or for a person."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
        return

    for row in document if isinstance(document, list) else [document]:
        click.echo("  ".join(f"{name}: {value}" for name, value in row.items()))


class DurationType(click.ParamType[float]):
    """A duration such as `90d` of at least so many seconds, converted to seconds."""

    name = "duration"

    def __init__(self, least: int) -> None:
        self._least = least

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds, or end the command with an error."""
        try:
            seconds = durations.seconds_of(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a duration such as 90d, 12h, 30m", param, ctx)

        if not self._least <= seconds <= LONGEST:
            self.fail(f"from {self._least}s to {durations.written(LONGEST)}", param, ctx)

        return float(seconds)
