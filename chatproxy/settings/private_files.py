"""Files of our own: made for their owner only, and trusted only where nobody else could write.

Whoever can write a kept secret signs what he likes; whoever can write the database is any user.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

#: What SQLite keeps beside a database; it takes over what it finds there.
SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")


class UntrustedFile(OSError):
    """Somebody else could have written a file. `strerror` says how."""


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each for its owner only."""
    # `mkdir(parents=True)` gives its mode to the last one only.
    for one in (*reversed(folder.parents), folder):
        if not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file for its owner only, and the folders above it; raise `OSError`."""
    make_folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def read_text(path: Path) -> str:
    """Return the text of a file that nobody but this user could have written.

    Raises `UntrustedFile`, `OSError` and `ValueError`.
    """
    # Not through a link, nor waiting for a pipe's other end; and what is looked at is what is read.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            check_file(path)
        raise

    with open(descriptor, encoding="utf-8") as file:
        _check(path, os.fstat(descriptor), stat.S_ISREG)
        return file.read().strip()


def check_folder(folder: Path) -> None:
    """Raise `UntrustedFile` if anybody else could have written to a folder."""
    _check(folder, folder.lstat(), stat.S_ISDIR)


def check_file(path: Path) -> None:
    """Raise `UntrustedFile` if anybody else could have written a file."""
    _check(path, path.lstat(), stat.S_ISREG)


def check_database(path: Path) -> None:
    """Raise `UntrustedFile` for a SQLite file, or one beside it, that others could have written."""
    for suffix in ("", *SQLITE_COMPANIONS):
        # Where it is not there yet nobody has written it; for the rest SQLite says what is wrong.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            check_file(path.with_name(path.name + suffix))


def database_fault(path: Path) -> str:
    """Say why a SQLite file cannot be written, or made; empty where it can, as far as it shows."""
    # In WAL mode others are made beside it.
    folder = path.parent

    while not folder.exists() and folder != folder.parent:
        folder = folder.parent

    if not folder.is_dir():
        return f"{folder} is no folder: {path} cannot be there"

    if path.exists() and not path.is_file():
        return f"{path} is no file"

    for one in (folder, path):
        if one.exists() and not os.access(one, os.W_OK):
            return f"{one} cannot be written by this user, or is on a read-only file system"

    return ""


def _check(path: Path, found: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    by_all, by_group = found.st_mode & stat.S_IWOTH, found.st_mode & stat.S_IWGRP

    if not is_kind(found.st_mode):
        fault = "is a link or of another kind. Put the thing itself there"
    elif found.st_uid != os.geteuid():
        fault = f"belongs to another user ({found.st_uid}). Remove it, or run as that user"
    elif by_all or (by_group and not _is_shared(path.parent, found.st_gid)):
        fault = "could be written by others. Remove it if anybody may have; else `chmod go-w` it"
    else:
        return

    raise UntrustedFile(errno.EPERM, f"{path} {fault}")


def _is_shared(folder: Path, group: int) -> bool:
    """Say whether a folder is made for a group, which may then write (setgid)."""
    # Kubernetes gives a volume and all files on it to its `fsGroup` in this way.
    found = folder.stat()
    return bool(found.st_mode & stat.S_ISGID) and found.st_gid == group
