"""Secrets that a local run makes for itself and keeps beside the database.

Each is a file of its own, named like its variable, that only its owner can read:
what was signed before a restart is still good after it, and commands at a terminal
find the same keys as the sidecar.
"""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

BYTES = 32


class LocalSecrets:
    """A folder of secrets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.used: list[str] = []
        self.made: list[str] = []

    def text(self, name: str) -> str:
        """Return the secret of this name; make it where there is none. Raises `OSError`."""
        path = self.folder / name
        self.used.append(name)

        with contextlib.suppress(FileNotFoundError):
            return path.read_text().strip()

        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.made.append(name)
        _write_once(path, secrets.token_urlsafe(BYTES))
        return path.read_text().strip()


def _write_once(path: Path, text: str) -> None:
    """Put a whole file at the path unless there is one: two starts at once agree on one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # readable by its owner only

    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())

        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
