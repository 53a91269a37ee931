"""Opening the directory that the environment names."""

import contextlib
from collections.abc import Iterator

import click

from chatproxy import settings
from chatproxy.clock import Clock
from chatproxy.identity.directory import Directory
from chatproxy.identity.schema import upgrade


@contextlib.contextmanager
def open_directory(*, upgraded: bool = False) -> Iterator[Directory]:
    """Open the directory that the environment names.

    A SQLite file is upgraded to the newest schema, as at the start of the sidecar. A
    PostgreSQL database is upgraded only on request: several sidecars may be using it.
    """
    found = settings.load_for_commands()
    tell_of_kept(found)

    with directory_of(found) as directory:
        if upgraded or directory.database.is_sqlite:
            upgrade(directory.database)

        yield directory


@contextlib.contextmanager
def directory_of(found: settings.Settings) -> Iterator[Directory]:
    """Open the directory of these settings, as it is."""
    assert found.directory is not None  # noqa: S101 - it is read for commands
    assert found.keys is not None  # noqa: S101
    clock = Clock()
    directory = Directory(
        found.directory.url,
        found.keys.signing_secrets,
        now=clock.now,
        monotonic=clock.monotonic,
    )

    with contextlib.closing(directory):
        yield directory


def tell_of_kept(found: settings.Settings) -> None:
    """Say which secrets were made on the way, and where they are."""
    if found.kept is not None and found.kept.made:
        click.echo(
            f"{', '.join(found.kept.made)} is not set here: made, and kept in "
            f"{found.kept.folder}. A sidecar with another one refuses the keys made here.",
            err=True,
        )
