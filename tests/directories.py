"""The directory of a sidecar, opened beside it: quicker than the commands, which are tested."""

import contextlib
import time
from collections.abc import Iterator, Mapping

from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Kind
from chatproxy.identity.schema import upgrade
from chatproxy.settings import load_for_commands


@contextlib.contextmanager
def beside(environ: Mapping[str, str]) -> Iterator[Directory]:
    """Open the directory that the environment names."""
    found = load_for_commands(environ)
    assert found.directory is not None
    assert found.keys is not None
    secrets = found.keys.signing_secrets
    directory = Directory(found.directory.url, secrets, now=time.time, monotonic=time.monotonic)

    try:
        yield directory
    finally:
        directory.close()


def give_schema(environ: Mapping[str, str]) -> None:
    """Bring it to the newest schema; on SQLite the start does it."""
    with beside(environ) as directory:
        if not directory.database.is_sqlite:
            upgrade(directory.database)


def make_key(environ: Mapping[str, str], name: str, kind: Kind = "platform") -> dict[str, str]:
    """Make a key of the app that is there from the start."""
    with beside(environ) as directory:
        return directory.keys.create(name, DEFAULT_APP, kind).parts()
