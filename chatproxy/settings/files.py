"""The files that settings name, as one load of the settings has read them."""

import dataclasses
import os
import stat
from collections.abc import Callable
from pathlib import Path

#: Far above any document that is of use, so that a wrong path does not fill the memory.
LARGEST = 8 * 1024 * 1024

Reader = Callable[[Path], bytes]


@dataclasses.dataclass(frozen=True)
class MountedFile:
    """A file that a setting names, with what was in it when the settings were read."""

    path: str
    content: bytes = dataclasses.field(repr=False)


class Files:
    """What was read, by path: each file once, so that what is checked is what is used."""

    def __init__(self) -> None:
        #: Whether this is not the first look, so that what is missing now was there before.
        self.is_later = False
        self._readers: dict[Path, Reader] = {}
        self._found: dict[Path, bytes | Exception] = {}
        self._once: set[Path] = set()

    def content(self, path: Path, reader: Reader | None = None, *, once: bool = False) -> bytes:
        """Return the content of a file; raise `OSError` or `ValueError`.

        With `once` a later look takes the content from the first one.
        """
        if path not in self._found:
            # A pipe, such as a shell's `<(…)`, can be read only once.
            if once or (path.exists() and not path.is_file()):
                self._once.add(path)

            self._readers[path] = reader or (_read_once if path in self._once else _read)
            self._found[path] = _outcome(self._readers[path], path)

        found = self._found[path]

        if isinstance(found, Exception):
            raise found

        return found

    def forget(self, path: Path) -> None:
        """Read a file anew the next time: it has just been made."""
        del self._found[path]

    def again(self) -> "Files":
        """Return the same files as they are now."""
        later = Files()
        later.is_later = True
        later._readers, later._once = self._readers, self._once
        later._found = {
            path: found if path in self._once else _outcome(self._readers[path], path)
            for path, found in self._found.items()
        }
        return later

    def is_as(self, other: "Files") -> bool:
        """Say whether both looks have found the same."""
        return {path: _told(found) for path, found in self._found.items()} == {
            path: _told(found) for path, found in other._found.items()
        }


def reason_of(error: Exception) -> str:
    """Say in a few words why a file could not be read."""
    return getattr(error, "strerror", None) or "it is no text in UTF-8"


def _outcome(reader: Reader, path: Path) -> bytes | Exception:
    try:
        return reader(path)
    except (OSError, ValueError) as error:
        return error


def _told(found: bytes | Exception) -> bytes | str:
    return found if isinstance(found, bytes) else f"{type(found).__name__} {reason_of(found)}"


def _read(path: Path) -> bytes:
    # Without waiting for a pipe's other end: whoever looks again must come back.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(None, "it is no file")

        return _bounded(file.read(LARGEST + 1))


def _read_once(path: Path) -> bytes:
    with path.open("rb") as file:
        return _bounded(file.read(LARGEST + 1))


def _bounded(content: bytes) -> bytes:
    if len(content) > LARGEST:
        raise OSError(None, f"it is larger than {LARGEST} bytes")

    return content
