"""`chatproxy …` as a script calls it."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from chatproxy.cli import main
from tests.sidecar import ROOT

PROGRAM = (sys.executable, "-m", "chatproxy.cli")
ONE_AT_A_TIME = threading.Lock()


def finished(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    folder: Path = ROOT,
    stdin: str = "",
    within: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, whatever that is; keep all that it prints."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environ,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


def run(
    environ: Mapping[str, str], *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a process of its own."""
    return finished([*PROGRAM, *arguments], environ, stdin=stdin)


def answer(environ: Mapping[str, str], *arguments: str, stdin: str = "") -> Any:
    """Run a command with `--json` in this process; return what it prints, which is one line.

    A second quicker than in a process of its own: for what a test needs, not what it is about.
    """
    with ONE_AT_A_TIME:  # the runner swaps the process's own streams and environment
        done = CliRunner().invoke(main, [*arguments, "--json"], input=stdin, env=dict(environ))

    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    return json.loads(line)
