"""`chatproxy …` as a script calls it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.sidecar import ROOT


def run(
    environ: Mapping[str, str], *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "chatproxy.cli", *arguments],
        cwd=ROOT,
        env=dict(environ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def answer(environ: Mapping[str, str], *arguments: str, stdin: str = "") -> Any:
    """Run a command with `--json`; return what it prints, which is one line."""
    done = run(environ, *arguments, "--json", stdin=stdin)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return json.loads(line)
