"""Importing a library without others that it can do without, and that nothing here uses."""

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def left_out(*names: str) -> Iterator[None]:
    """Let these seem not to be installed, unless they are loaded already."""
    missing = [name for name in names if name not in sys.modules]
    # What is None in there cannot be imported (Python's reference, "The module cache").
    sys.modules.update(dict.fromkeys(missing))  # type: ignore[arg-type]

    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
