"""PostgreSQL servers of the test's own, to be stopped and promoted."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.sidecar import free_port

#: Debian keeps the server's programs off the path.
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
OPTIONS = (
    "-c fsync=off -c shared_buffers=16MB -c max_connections=60 -c listen_addresses=127.0.0.1 "
    "-c unix_socket_directories="
)
#: Neither PostgreSQL nor pgbouncer runs as root.
USER = "postgres"

POOLER = """
[databases]
* = {to}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 2
"""


def run(*command: str | Path) -> None:
    """Run a program to its end, as another user where this one is root."""
    done = subprocess.run(
        [*unprivileged(), *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stdout


def unprivileged() -> list[str]:
    return ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []


@contextmanager
def unprivileged_folder() -> Iterator[Path]:
    """A folder that such a program may write to."""
    folder = Path(tempfile.mkdtemp(prefix="chatproxy-server-"))

    if os.geteuid() == 0:
        shutil.chown(folder, USER)

    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """One server, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"postgresql://postgres@{self.address}/postgres"

    def control(self, command: str, *arguments: str) -> None:
        """Run pg_ctl, which waits until it is done."""
        run(PROGRAMS[-1], command, "-w", "-D", self.folder, *arguments)

    def start(self) -> None:
        log = self.folder.with_suffix(".log")
        self.control("start", "-l", str(log), "-o", f"{OPTIONS} -p {self.port}")

    def stop(self, mode: str = "immediate") -> None:
        if (self.folder / "postmaster.pid").exists():
            self.control("stop", "-m", mode)


@contextmanager
def servers() -> Iterator[tuple[Server, Server]]:
    """A primary, and a hot standby that follows it."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL's own programs are not installed")

    with unprivileged_folder() as folder:
        primary, standby = Server(folder / "primary"), Server(folder / "standby")
        programs = PROGRAMS[-1].parent
        run(programs / "initdb", "-N", "-A", "trust", "-U", "postgres", "-D", primary.folder)

        try:
            primary.start()
            copied = ("-R", "-X", "stream", "-c", "fast", "-D", standby.folder)
            run(programs / "pg_basebackup", "-d", primary.url, *copied)
            standby.start()
            yield primary, standby
        finally:
            primary.stop()
            standby.stop()


@contextmanager
def pgbouncer(server: str) -> Iterator[str]:
    """Yield the URL of a pooler in front of a database: Debian's, which pools transactions.

    Two connections are all that its clients have, so each meets what others left behind.
    """
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")

    if program is None:
        pytest.skip("pgbouncer is not installed")

    given = conninfo_to_dict(server)
    port = free_port()

    with unprivileged_folder() as folder:
        (folder / "users").write_text(f'"{given["user"]}" ""\n')
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(
            POOLER.format(folder=folder, port=port, to=f"host={given['host']} port={given['port']}")
        )
        process = subprocess.Popen(
            [*unprivileged(), program, configuration],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )

        try:
            _wait_for(port)
            yield f"postgresql://{given['user']}@127.0.0.1:{port}/{given['dbname']}"
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30

    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            assert time.monotonic() < until, "nobody listens"
            time.sleep(0.05)
        else:
            return
