"""What each library costs whoever loads it, and who does: `python -m benchmarks.imports`.

Each is imported on top of those above it, in a process of its own, so that what they share is
counted once. The table is written to `benchmarks/results/imports.md`.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import footprint, report
from benchmarks.processes import NOBODY, ROOT, sidecar
from benchmarks.report import Found, cells, table

TIMES = 3
#: From the bottom up: what is imported by another library stands above it.
LIBRARIES = (
    "gunicorn.app.wsgiapp",
    "gevent.monkey",
    "werkzeug",
    "flask",
    "urllib3",
    "charset_normalizer",
    "requests",
    "h11",
    "jwt",
    "marshmallow",
    "apispec",
    "yaml",
    "prometheus_client",
    "sqlalchemy",
    "sqlalchemy.orm",
    "alembic",
    "psycopg",
    "redis",
    "opentelemetry.sdk.trace",
)

LOADED = f"""
import sys, json
from chatproxy.wsgi import app
print(json.dumps([name in sys.modules for name in {LIBRARIES!r}]))
"""
COSTS = """
import sys, json, time, re, importlib
from chatproxy.left_out import left_out

def load(name):
    # As the sidecar does. What it leaves out is not among these, or comes last.
    more = () if name.startswith("opentelemetry") else ("opentelemetry",)

    with left_out("cryptography", *more):
        importlib.import_module(name)

def private():
    rollup = open("/proc/self/smaps_rollup").read()
    return 1024 * sum(map(int, re.findall(r"^Private_(?:Clean|Dirty): *(\\d+)", rollup, re.M)))

*below, last = sys.argv[1:]
for name in below:
    load(name)
memory, began = private(), time.process_time()
load(last)
seconds = time.process_time() - began
print(json.dumps({"memory": (private() - memory) / 1e6, "milliseconds": seconds * 1e3}))
"""


def told_by(code: str, *arguments: str, environ: Mapping[str, str] = os.environ) -> object:
    """Run a program in a process of its own; return what it says."""
    command = [sys.executable, "-c", code, *arguments]
    return json.loads(subprocess.check_output(command, text=True, cwd=ROOT, env=environ))


def costs() -> dict[str, list[Found]]:
    """Measure each library in turn, again and again."""
    found: dict[str, list[Found]] = {name: [] for name in LIBRARIES}

    for _ in range(TIMES):
        for number, name in enumerate(LIBRARIES, start=1):
            told = told_by(COSTS, *LIBRARIES[:number])
            assert isinstance(told, dict)
            found[name].append(told)

    return found


def loaded(settings: Mapping[str, str], folder: Path) -> Sequence[bool]:
    """Say which of them a worker with these settings has loaded when it begins to serve."""
    # gunicorn and gevent are loaded by the server, not by the application.
    environ = sidecar(folder, NOBODY, **settings).environ
    told = told_by(LOADED, environ=environ)
    assert isinstance(told, list)
    return [True, True, *told[2:]]


def main() -> None:
    """Measure, print the table and write it."""
    parts = ("SQLAlchemy", "Alembic", "psycopg", "redis", "PyJWT")
    head = report.heading("Libraries", "`python -m benchmarks.imports`", *parts)

    with tempfile.TemporaryDirectory() as name:
        each = {
            title: loaded(settings, Path(name))
            for title, settings in footprint.providers(Path(name)).items()
        }

    found = costs()
    rows = [
        [
            f"`{name}`",
            *cells(rounds, memory=1, milliseconds=0),
            *("yes" if one[place] else "" for one in each.values()),
        ]
        for place, (name, rounds) in enumerate(found.items())
    ]
    columns = f"library|MB|ms of CPU|{'|'.join(f'loaded with {title}' for title in each)}"
    title = "What each adds to those above it"
    report.finish("imports", head, report.MEDIANS, table(title, columns, rows), whole=True)


if __name__ == "__main__":
    main()
