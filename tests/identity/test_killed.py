"""A process that is killed while it writes: what it was told is written, is written."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP
from tests.identity.databases import on_sqlite
from tests.sidecar import ROOT, bare_environ

ROUNDS = 3
WRITES = 40

PROGRAM = "from tests.identity.elsewhere import *; import sys; write_until_killed(*sys.argv[1:])"


def acknowledged(url: str, prefix: str) -> list[str]:
    """Kill a writer after some of its writes; return all that it said."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, prefix],
        cwd=ROOT,
        env=bare_environ(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(WRITES)]
        process.kill()
        said += process.stdout.readlines()

    assert process.returncode == -signal.SIGKILL
    return [line.strip() for line in said if line.endswith("\n")]


@on_sqlite
def test_a_killed_writer_loses_nothing(
    directory: Directory, database_url: str, tmp_path: Path
) -> None:
    said = [
        external_id
        for round_ in range(ROUNDS)
        for external_id in acknowledged(database_url, f"round-{round_}")
    ]

    assert len(said) >= ROUNDS * WRITES
    assert [one for one in said if directory.users.find(DEFAULT_APP, one) is None] == []

    with closing(sqlite3.connect(tmp_path / "chatproxy.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
