"""Files that a command writes: whole or not at all, and readable by their owner only."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from chatproxy.cli.exits import AWAY, NO, Failure
from chatproxy.cli.interruption import Interrupted, Interruption

#: What link(2) says on a file system that has no links, as on many network shares.
NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})


@contextlib.contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[Path]:
    """Give the path of an empty file, which takes its name when it is complete.

    One of that name is replaced with `force` only. Raises `Failure`.
    """
    if path.is_dir():
        raise Failure(f"{path} is a folder: name a file in it")

    if not force and os.path.lexists(path):
        raise _there_already(path)

    try:
        # Beside it: a file can only be renamed within a file system.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        os.close(descriptor)
    except OSError as error:
        raise cannot_be_written(path, error) from error

    made = Path(name)

    try:
        # Else SIGTERM would leave half a copy of all users there, under a name that nobody knows.
        with Interruption()() as stop:
            yield made
            stop.comes_too_late()
            _synced(made)

            if force:
                os.replace(made, path)
            else:
                _name(made, path)
    except Interrupted as error:
        raise Failure(f"interrupted; {path} is not written", 128 + error.number) from error
    except FileExistsError as error:
        raise _there_already(path) from error
    except OSError as error:
        raise cannot_be_written(path, error) from error
    finally:
        made.unlink(missing_ok=True)


def _name(made: Path, path: Path) -> None:
    """Give a file its name; raise `FileExistsError` where there is one by now."""
    try:
        os.link(made, path)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise

        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.replace(made, path)


def cannot_be_written(path: Path, error: OSError) -> Failure:
    """Return the failure to write a file."""
    return Failure(f"{path} cannot be written ({error.strerror})", AWAY)


def _there_already(path: Path) -> Failure:
    return Failure(f"{path} is there already: name another file, or replace it with --force", NO)


def _synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)

    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
