"""Runs the tests in parts, several at once: `python -m tests.parts [-n PROCESSES] [PYTEST'S OWN]`.

A part is a pytest of its own over the folders that share servers. So each process loads, and
starts, only what its part needs: where one pytest spread the files over processes, each of them
loaded all tests, and started each shared sidecar anew.
"""

import argparse
import collections
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pytest

HERE = Path(__file__).parent
#: Beginnings of paths, the longest work first: what is short fills the gaps at the end. A file is
#: of the first part that has a beginning of its path. Folders that no part names are the last one.
PARTS = (
    ("forwarding/",),
    ("providers/imkit/test_socket", "providers/imkit/test_relayed", "providers/imkit/test_b"),
    ("providers/chatsdk/",),
    ("providers/imkit/",),
    ("examples/", "test_browser"),
    ("identity/",),
    ("web/",),
    ("test_",),
    ("providers/performchat/", "providers/imbachat/"),
    ("server/",),
    ("providers/",),
    ("badinput/",),
    ("cli/",),
    ("bulk/",),
    ("receiving/", "upkeep/"),
    ("sandbox/", "upstream/"),
    ("openapi/", "metrics/", "tracing/"),
    ("settings/",),
    ("limiting/", "logs/"),
)
#: A part all of whose tests are left out by a mark has done what it should.
FINE = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
COUNTED = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected)")


def divided(paths: Sequence[str]) -> list[list[str]]:
    """Put each path, relative to this folder, into exactly one part; leave out empty parts."""
    parts: list[list[str]] = [[] for _ in (*PARTS, "the rest")]

    for path in paths:
        fitting = (number for number, part in enumerate(PARTS) if path.startswith(part))
        parts[next(fitting, -1)].append(path)

    return [part for part in parts if part]


def run(part: Sequence[str], options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run one part to its end; what it says is kept until then, so that parts do not mix."""
    # The cache is one file, and the parts would overwrite each other's.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        [*command, *(str(HERE / path) for path in part)],
        cwd=HERE.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def main() -> int:
    """Run all parts, print what each says as it ends; 1 where any failed."""
    parser = argparse.ArgumentParser(description="Runs the tests in parts, several at once.")
    parser.add_argument("-n", type=int, default=3, help="how many at once")
    found, options = parser.parse_known_args()
    began, counts, failed = time.monotonic(), collections.Counter[str](), False
    paths = sorted(path.relative_to(HERE).as_posix() for path in HERE.rglob("test_*.py"))

    with ThreadPoolExecutor(found.n) as pool:
        for done in as_completed(pool.submit(run, part, options) for part in divided(paths)):
            result = done.result()
            print(result.stdout, flush=True)
            failed |= result.returncode not in FINE
            last = result.stdout.rstrip().rpartition("\n")[2]
            counts.update({what: int(number) for number, what in COUNTED.findall(last)})

    total = ", ".join(f"{number} {what}" for what, number in counts.items())
    print(f"all parts: {total} in {time.monotonic() - began:.0f} s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
