"""Which schema a database has, and which this release knows as the newest.

Needs no library: the server's first process looks before each start, and the libraries that
migrate take two seconds to load.
"""

import contextlib
import functools
import sqlite3
from importlib.resources import files
from pathlib import Path


@functools.cache
def known() -> tuple[str, ...]:
    """Return the version of each migration, the newest last."""
    # By the files' names: asking Alembic would load it.
    steps = files("chatproxy.identity.migrations.versions").iterdir()
    return tuple(sorted(step.name.partition("_")[0] for step in steps if step.name[:1].isdigit()))


def newest() -> str:
    """Return the version of the newest migration."""
    return known()[-1]


def is_current(path: Path) -> bool:
    """Say whether a SQLite file has the newest schema; False where that cannot be seen."""
    try:
        # Read only: a look must not make the file, which is to be private from its first byte.
        opened = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)

        with contextlib.closing(opened) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return False

    return row is not None and row[0] == newest()
