"""Which test triggers which guard: what `removals` puts around each guard, and a pytest plugin.

Every process of a traced run, the sidecars among them, appends to one file in its `TMPDIR`.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

FOLDER = "REMOVALS_TRACED"
CURRENT, HITS, DURATIONS = "current-test", "hits", "durations"

_seen: set[tuple[int, str]] = set()


def reached(site: int) -> None:
    """Note that the current test got this far."""
    folder = os.environ.get("TMPDIR", "")

    try:
        with open(f"{folder}/{CURRENT}") as file:
            test = file.read()
    except OSError:
        return

    if (site, test) not in _seen:
        _seen.add((site, test))
        _append(f"{folder}/{HITS}", f"{site}\t{test}")


def true(site: int, value: Any) -> Any:
    """Note where a condition holds; return it."""
    if value:
        reached(site)

    return value


def false(site: int, value: Any) -> Any:
    """Note where a condition does not hold; return it."""
    if not value:
        reached(site)

    return value


def bound(site: int, function: Any, first: Any, second: Any) -> Any:
    """Note which of two arguments is needed; return the result."""
    result = function(first, second)

    if result != second:
        reached(site)

    if result != first:
        reached(site + 1)

    return result


def pytest_configure() -> None:
    """Give this process, and all that it starts, a folder of its own."""
    if FOLDER in os.environ:
        os.environ["TMPDIR"] = tempfile.mkdtemp(dir=os.environ[FOLDER])


def pytest_runtest_setup(item: Any) -> None:
    """Say which test runs."""
    Path(os.environ["TMPDIR"], CURRENT).write_text(item.nodeid)


def pytest_runtest_logreport(report: Any) -> None:
    """Note how long the test took."""
    if report.when == "call" and "TMPDIR" in os.environ:
        _append(f"{os.environ['TMPDIR']}/{DURATIONS}", f"{report.duration}\t{report.nodeid}")


def _append(path: str, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{line}\n".encode())  # one write, since several processes append
    os.close(descriptor)
