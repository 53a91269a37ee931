"""Runs many commands of `chatproxy`, each in a fork of this process: an import costs once.

`python -m tests.cli.forked FILE` reads a list of runs from FILE, and writes what each did to it.
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from chatproxy.cli import main

# What the commands need: a fork has it, and imports nothing.
PRELOADED = (
    "alembic.command",
    "chatproxy.cli.directory",
    "chatproxy.cli.providers",
    "chatproxy.cli.check.database",
    "chatproxy.cli.check.online",
    "chatproxy.routes",
    "psycopg",
    "redis",
)


def run(one: dict[str, Any]) -> dict[str, Any]:
    """Run a command in a fork; return how it ended."""
    folder = Path(one["folder"])
    pid = os.fork()

    if pid == 0:
        _become(one, folder)

    _, status = os.waitpid(pid, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "stdout": (folder / "stdout").read_text(errors="replace"),
        "stderr": (folder / "stderr").read_text(errors="replace"),
    }


def _become(one: dict[str, Any], folder: Path) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(one["environ"])
    (folder / "stdout").touch()
    os.dup2(os.open(folder / "stdin", os.O_RDONLY), 0)
    sys.stdin = open(0)  # noqa: SIM115 - the one before may have been at its end
    os.dup2(_stdout(one["stdout"], folder), 1)
    os.dup2(os.open(folder / "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)

    if one["stdout"] == "closed":
        # As Python begins then.
        os.close(0)
        os.close(1)
        sys.stdin = sys.stdout = None  # type: ignore[assignment]

    if one["limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (one["limit"], one["limit"]))

    try:
        main.main(one["arguments"])
    except SystemExit as error:
        os._exit(error.code if isinstance(error.code, int) else 1)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(99)


def _stdout(kind: str, folder: Path) -> int:
    if kind == "full":
        return os.open("/dev/full", os.O_WRONLY)

    if kind == "nobody":
        reader, writer = os.pipe()
        os.close(reader)
        return writer

    return os.open(folder / "stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


if __name__ == "__main__":
    for name in PRELOADED:
        __import__(name)

    path = Path(sys.argv[1])
    path.write_text(json.dumps([run(one) for one in json.loads(path.read_text())]))
