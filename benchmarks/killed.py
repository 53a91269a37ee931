"""Is what was acknowledged still there when a worker is killed? `python -m benchmarks.killed`.

A run as it is by default also writes `results/killed.md`. What the columns mean is in
the README beside this.
"""

import collections
import contextlib
import json
import math
import os
import random
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import directory, report
from benchmarks.load import BEGUN
from benchmarks.processes import Server, callers, cpu_ticks, raise_descriptor_limit
from benchmarks.report import Found, cells, table, verdict

KILLS = 20
CONNECTIONS = 16

#: Seconds of load before a kill, and after the workers are complete again.
BEFORE = (0.2, 0.8)
AFTER = 0.3

#: Seconds within which a killed worker has to have a successor.
REPLACED_WITHIN = 30.0

#: How many workers there are: all are gone at a kill, or half of them.
WORKERS = (1, 2)


def survived(
    folder: Path, url: str, workers: int, kills: int = KILLS, **settings: str
) -> Iterator[Found]:
    """Kill a worker under write load again and again; look each time what the database holds."""
    acknowledged: set[str] = set()

    with directory.serving(folder, url, WORKERS=str(workers), **settings) as (before, key):
        for number in range(kills):
            noted, killed_at = _kill_one(before, key, f"kill-{number}")
            answered = noted["answered"]
            acknowledged |= {f"kill-{number}-{count}" for count, _, _ in answered}
            kept, integrity = _inside(url)
            lost = len(acknowledged.difference(kept))
            # Asked after the kill, so that no answer of the dead worker's passes for service.
            again = min((end for _, sent, end in answered if sent > killed_at), default=math.inf)
            yield {
                "acknowledged": len(answered),
                "before": sum(end < killed_at for _, _, end in answered),
                "lost": lost,
                "integrity": integrity,
                "failed": sum(noted["failures"].values()),
                "failures": noted["failures"],
                "again": again - killed_at,
                "holds": not lost and integrity == "ok",
            }


def _kill_one(before: Server, key: str, prefix: str) -> tuple[Found, float]:
    """Kill the busiest worker while users are made; return what callers saw, and when it was."""
    request = directory.issue(key, f"{prefix}-{{number}}")

    with callers("load", "noting", before.port, request, CONNECTIONS) as writing:
        assert writing.stdout is not None
        assert writing.stdout.readline() == f"{BEGUN}\n"
        used = {worker: cpu_ticks(worker) for worker in before.workers()}
        time.sleep(random.uniform(*BEFORE))
        victim = max(used, key=lambda worker: cpu_ticks(worker) - used[worker])
        killed_at = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        _wait_for_successor(before, victim, len(used))
        time.sleep(AFTER)
        noted = json.loads(writing.communicate("stop\n")[0])

    return noted, killed_at


def _wait_for_successor(before: Server, victim: int, workers: int) -> None:
    until = time.monotonic() + REPLACED_WITHIN

    while time.monotonic() < until:
        now = before.workers()

        if victim not in now and len(now) == workers:
            return

        time.sleep(0.02)

    raise RuntimeError(f"no successor: {before.output.read_text()[-2000:]}")


def _inside(url: str) -> tuple[list[str], str]:
    """Return the users in the database, and what SQLite's check says of it."""
    path = url.removeprefix("sqlite:///")

    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            [[integrity]] = connection.execute("PRAGMA integrity_check(1)")

        return directory.user_ids(url), " ".join(integrity.split())
    except sqlite3.DatabaseError as error:  # it cannot even be read
        return [], str(error)


def main() -> None:
    """Measure, print the table, and write it where the run was whole."""
    kills, whole = report.asked("kills", KILLS, "for each number of workers", __doc__)
    raise_descriptor_limit()
    command = f"`python -m benchmarks.killed`, {kills} kills for each number of workers"
    head = report.heading("Killed workers", command, "SQLAlchemy")
    found: dict[int, list[Found]] = {}

    with tempfile.TemporaryDirectory() as name:
        for workers in WORKERS:
            with directory.new_database("sqlite", Path(name)) as url:
                found[workers] = _told(survived(Path(name), url, workers, kills))

    report.finish("killed", head, report.MEDIANS, _table(found), whole=whole)


def _told(rounds: Iterator[Found]) -> list[Found]:
    found = []

    for one in rounds:
        report.tell(str(one))
        found.append(one)

    return found


def _table(found: dict[int, list[Found]]) -> str:
    rows = [
        [
            str(workers),
            str(sum(one["acknowledged"] for one in rounds)),
            str(sum(one["before"] for one in rounds)),
            str(max(one["lost"] for one in rounds)),
            report.counted(collections.Counter(one["integrity"] for one in rounds)),
            *cells(rounds, failed=0),
            report.in_all(rounds, "failures"),
            *cells(rounds, again=2),
            verdict(rounds),
        ]
        for workers, rounds in found.items()
    ]
    title = f"kill -9 of a worker while {CONNECTIONS} connections make users, SQLite"
    columns = (
        "workers|acknowledged writes|of them before the kill|acknowledged writes lost|"
        "integrity_check|errors seen by callers at each kill|errors by kind|"
        "seconds until served again|nothing lost, intact"
    )
    return table(title, columns, rows)


if __name__ == "__main__":
    main()
