"""As process 1 of a container the kernel passes over every signal that has no handler."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.test_replacement import wait_for
from tests.sidecar import GUNICORN, ROOT, bare_environ, free_port

#: The command that upgrades the database before the start takes for ever.
SLOW_UPGRADE = """
import sys, time

if "upgrade" in sys.argv:
    time.sleep(600)
"""
CONTAINED = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One whose start hangs. It, not the program that made its namespace, is process 1 there."""
    if shutil.which("unshare") is None or subprocess.run([*CONTAINED, "true"]).returncode:
        pytest.skip("no process namespace may be made here")

    (tmp_path / "sitecustomize.py").write_text(SLOW_UPGRADE)
    environ = bare_environ() | {
        "HTTP_PORT": str(free_port()),
        "PROVIDERS": "chatsdk",
        "DATABASE_URL": f"sqlite:///{tmp_path}/chatproxy.db",
        "CHATSDK_JWT_SECRET": "j" * 40,
        "CENTRIFUGO_TOKEN_SECRET": "c" * 40,
        "KEY_SIGNING_SECRET": "k" * 40,
        "PYTHONPATH": str(tmp_path),
    }

    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [*CONTAINED, sys.executable, *GUNICORN],
            cwd=ROOT,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )

    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_start_that_hangs_can_be_stopped(started: subprocess.Popen[bytes]) -> None:
    wait_for(lambda: children(started.pid) and children(children(started.pid)[0]))
    os.kill(children(started.pid)[0], signal.SIGTERM)

    assert started.wait(30) == 0
