"""Is a limit exact over several workers? `python -m benchmarks.limits`.

A run as it is by default also writes `results/limits.md`. What the columns mean is in
the README beside this.
"""

import collections
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import directory, report
from benchmarks.processes import Server, asked, raise_descriptor_limit
from benchmarks.report import Found, table

ROUNDS = 20
ALLOWED, MORE = 100, 50
WORKERS = 4

#: Longer than a round takes, so that no call leaves the window meanwhile.
WINDOW = "10 minutes"

OVER = "429"


def admitted(
    folder: Path,
    database_url: str,
    redis_url: str,
    rounds: int = ROUNDS,
    **settings: str,
) -> Iterator[Found]:
    """Ask for more tokens at once than one user may have; every round for another user."""
    limits = {
        "REDIS_URL": redis_url,
        "TOKEN_RATE_LIMIT": f"{ALLOWED} per {WINDOW}",
        "WORKERS": str(WORKERS),
    }

    with directory.serving(folder, database_url, **limits | settings) as (before, key):
        for number in range(rounds):
            lines_before = len(directory.lines(before))
            request = directory.issue(key, f"user-{number}")
            answered = asked("burst", before.port, request, ALLOWED + MORE)
            times, failures = answered["times"], answered["failures"]
            refused = failures.pop(OVER, 0)
            yield {
                "admitted": len(times),
                "refused": refused,
                "failures": failures,
                "last": times[-1] if times else float("nan"),
                "workers": _workers(before, lines_before),
                "holds": (len(times), refused) == (ALLOWED, MORE),
            }


def _workers(server: Server, lines_before: int) -> list[int]:
    """Return how many requests each worker served since, the busiest first."""
    served = collections.Counter(line["pid"] for line in directory.lines(server)[lines_before:])
    return sorted(served.values(), reverse=True)


def main() -> None:
    """Measure, print the table, and write it where the run was whole."""
    rounds, whole = report.asked("rounds", ROUNDS, "rounds, each for a new user", __doc__)
    raise_descriptor_limit()
    head = report.heading("Limits", f"`python -m benchmarks.limits`, {rounds} rounds", "redis")

    with (
        tempfile.TemporaryDirectory() as name,
        directory.new_database("sqlite", Path(name)) as url,
    ):
        found = list(admitted(Path(name), url, directory.REDIS, rounds))

    report.finish("limits", head, _summary(found), _table(found), whole=whole)


def _summary(found: list[Found]) -> str:
    least, most = (pick(one["admitted"] for one in found) for pick in (min, max))
    return (
        f"Exactly {ALLOWED} admitted and {MORE} refused in {report.verdict(found)}; admitted at "
        f"least {least}, at most {most}.\n"
    )


def _table(found: list[Found]) -> str:
    rows = [
        [
            str(number),
            str(one["admitted"]),
            str(one["refused"]),
            report.counted(one["failures"]),
            f"{one['last']:.2f}",
            ", ".join(map(str, one["workers"])),
        ]
        for number, one in enumerate(found, 1)
    ]
    title = (
        f"{ALLOWED + MORE} × `POST /tokens` for one user at once, {ALLOWED} per {WINDOW} allowed, "
        f"{WORKERS} workers, Redis"
    )
    columns = "round|admitted|refused with 429|other failures|last admitted s|requests by worker"
    return table(title, columns, rows)


if __name__ == "__main__":
    main()
