"""Files as a cluster mounts them, and waiting for what comes of a change."""

import itertools
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_versions = itertools.count(1)


def swap(folder: Path, contents: Mapping[str, str], without: str = "") -> None:
    """Replace all files of a folder as a cluster does: a new folder, then one link is moved.

    The time of change stays as it was. `without` names one that is not there any more.
    """
    folder.mkdir(exist_ok=True)
    version = f"..{next(_versions)}"
    (folder / version).mkdir()

    for name, content in contents.items():
        if name == without:
            continue

        (folder / version / name).write_text(content)
        os.utime(folder / version / name, (1, 1))

    (folder / "..data.new").symlink_to(version)
    os.replace(folder / "..data.new", folder / "..data")

    for name in contents:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")


def wait_for(condition: Callable[[], bool], within: float = 5) -> float:
    """Wait until a condition holds; return how long it took."""
    began = time.monotonic()

    while not condition():
        assert time.monotonic() - began < within
        time.sleep(0.1)

    return time.monotonic() - began
