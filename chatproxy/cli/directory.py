"""Opening the directory that the environment names."""

import contextlib
from collections.abc import Iterator

import click

from chatproxy import settings
from chatproxy.clock import Clock
from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.database import Database
from chatproxy.identity.directory import Directory
from chatproxy.identity.readiness import UNFIT
from chatproxy.identity.schema import fault_in, upgrade, version
from chatproxy.identity.schema_version import newest


@contextlib.contextmanager
def open_directory(*, upgraded: bool = False) -> Iterator[Directory]:
    """Open the directory that the environment names.

    A SQLite file is upgraded to the newest schema, as at the start of the sidecar. A
    PostgreSQL database is upgraded only on request, and refused where its schema is another
    release's: several sidecars may be using it.
    """
    found = settings.load_for_commands()
    tell_of_kept(found)

    with directory_of(found) as directory:
        make_fit(directory.database, upgraded=upgraded)
        yield directory


def make_fit(database: Database, *, upgraded: bool = False) -> None:
    """Upgrade the schema where that may be done; raise `DirectoryUnavailable` if it is unfit.

    What another schema means to its own release is not known here: a command that happened to
    work with it could write what that release cannot use.
    """
    if upgraded or database.is_sqlite:
        upgrade(database)
        return

    found = version(database)
    fault = fault_in(found)

    if fault is not None:
        message = " ".join(UNFIT[fault].values())
        raise DirectoryUnavailable(message, detail=f"found {found or 'none'}, needed {newest()}")


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
