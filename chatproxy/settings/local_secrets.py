"""Secrets that a local run generates and keeps beside the database.

Each is in a file of its own, named after its variable and readable by its owner only. So what was
signed before a restart stays valid, and the commands use the same keys as the sidecar.
"""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from chatproxy.settings import private_files
from chatproxy.settings.files import Files

#: As many as HMAC-SHA256 puts out, which is the least that RFC 7518 section 3.2 allows.
BYTES = 32


class LocalSecrets:
    """A folder of secrets. One that `makes` none gives a text that is kept nowhere instead."""

    def __init__(self, folder: Path, *, makes: bool = True) -> None:
        self.folder = folder
        self._makes = makes
        self.used: list[str] = []
        self.made: list[str] = []

    def text(self, name: str, files: Files | None = None) -> str:
        """Return the secret of this name; generate it if there is none at the first look.

        Raises `OSError`, if somebody else could have written it too.
        """
        files = files or Files()
        path = self.folder / name
        self.used.append(name)

        with contextlib.suppress(FileNotFoundError):
            return files.content(path, _read).decode()

        # Another one would refuse what was signed with the one that is in force.
        if files.is_later:
            raise OSError(None, f"it is not in {self.folder} any more")

        if not self._makes:
            return secrets.token_urlsafe(BYTES)

        private_files.make_folder(self.folder)
        self.made.append(name)
        write_once(path, secrets.token_urlsafe(BYTES))
        files.forget(path)
        return files.content(path, _read).decode()


def _read(path: Path) -> bytes:
    private_files.check_folder(path.parent)
    return private_files.read_text(path).encode()


def write_once(path: Path, text: str) -> None:
    """Write a file, whole and for its owner only, unless there is one already."""
    # A second process may start at the same moment. link(2) fails if the path exists, so one of the
    # two files wins, whole, and both processes read that one.
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # mode 0600

    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
            file.flush()
            # On disk before it gets its name: a crash must not leave an empty secret behind.
            os.fsync(file.fileno())

        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
