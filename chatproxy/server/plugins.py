"""gevent's plugins, looked for once."""

import contextlib
from collections.abc import Iterator
from importlib import metadata


@contextlib.contextmanager
def packages_read_once() -> Iterator[None]:
    """Let all that ask for plugins of some group in here be told of one reading of the packages."""
    # gevent asks at each of the 25 steps in which it patches, and each time every package that is
    # installed is read: a tenth of a start.
    asked = metadata.entry_points
    metadata.entry_points = asked().select

    try:
        yield
    finally:
        metadata.entry_points = asked
