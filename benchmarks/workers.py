"""Many callers at once, by measurement: `python -m benchmarks.workers`.

Three measurements of each candidate, and with `--parts 45` the first two once more
while the directory is written. A whole run also writes `results/workers.md`, or
`results/workers-directory.md`. What the columns mean is in the README beside this.
"""

import argparse
import contextlib
import functools
import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmarks import directory, report
from benchmarks.processes import (
    KEPT,
    Memory,
    Server,
    asked,
    callers,
    cpu_per_request,
    plain_proxy,
    raise_descriptor_limit,
    sidecar,
    stand_in,
    upstream,
)
from benchmarks.report import Found, cells, listed, ratios, rounds_table, table, verdict
from benchmarks.request import Request

#: Which parts each result is made of.
RESULTS = {"123": "workers", "45": "workers-directory"}
DEFAULT_PARTS = "123"


CANDIDATES: dict[str, dict[str, str]] = {
    "as shipped": {},
    "two workers": {"WORKERS": "2"},
}

#: Options of gunicorn, and the variables, of each plain proxy.
PLAIN_GTHREAD = "plain proxy, gthread, 32 threads"
PLAIN_GEVENT = "plain proxy, gunicorn's gevent"
PLAIN: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    PLAIN_GTHREAD: ((*KEPT, "--worker-class", "gthread", "--threads", "32"), {}),
    PLAIN_GEVENT: ((*KEPT, "--worker-class", "gevent"), {}),
    f"{PLAIN_GTHREAD}, trust_env off": (
        (*KEPT, "--worker-class", "gthread", "--threads", "32"),
        {"TRUST_ENV": "0"},
    ),
}

SLOW_EACH = 200
RATE, SECONDS = 50, 30
P99_BELOW = 100.0
SLOW_PATH = "/proxy/app"
#: The 200 uploads begin together, which is a burst, and another question than this one.
SETTLE = 2.0

BURST = 500
BURST_WITHIN = 4.0
BURST_PATH = "/proxy/wait/2"

CONNECTIONS = 16
GETS, WARM_UP = 3000, 500
LEAST_ROUNDS = 5
GET_PATH = "/proxy/app"
AT_MOST = 0.6


def slow_callers(folder: Path, settings: dict[str, str], settle: float = SETTLE) -> Found:
    """Measure others' requests while 400 connections send a byte a second."""
    with stand_in(folder) as behind, sidecar(folder, behind.port, **settings) as before:
        return _beside_slow_ones(before, Request(SLOW_PATH), settle)


def slow_callers_and_writes(
    folder: Path, settings: dict[str, str], settle: float = SETTLE
) -> Found:
    """Measure tokens for ever new users while 400 connections send a byte a second."""
    with (
        directory.new_database("sqlite", folder) as url,
        stand_in(folder) as behind,
        directory.serving(folder, url, behind.port, **settings) as (before, key),
    ):
        found = _beside_slow_ones(before, directory.issue(key, "user-{number}"), settle)
        return found | {"users": len(directory.user_ids(url))}


def _beside_slow_ones(before: Server, request: Request, settle: float) -> Found:
    slow = callers("slow", before.port, SLOW_PATH, SLOW_EACH, SLOW_EACH)
    assert slow.stdout is not None
    assert slow.stdout.readline() == "open\n"
    time.sleep(settle)
    steady = asked("steady", before.port, request, RATE, SECONDS)
    slowly = json.loads(slow.communicate("stop\n")[0])

    times = steady["times"]
    found = {
        "failed": steady["failed"],
        "failures": steady["failures"],
        "p50": report.percentile(times, 0.50) * 1000,
        "p99": report.percentile(times, 0.99) * 1000,
        "slowest": report.percentile(times, 1.0) * 1000,
        "open": f"{slowly['open_heads']} + {slowly['open_bodies']}",
        "completed": slowly["completed"],
    }
    intact = slowly["open_heads"] == slowly["open_bodies"] == SLOW_EACH
    found["holds"] = intact and not found["failed"] and found["p99"] < P99_BELOW
    return found


def at_once(folder: Path, settings: dict[str, str]) -> Found:
    """Measure 500 requests at once to an upstream that answers after 2 s."""
    with upstream(folder) as behind, sidecar(folder, behind.port, **settings) as before:
        idle = before.memory()
        asking = callers("load", "burst", before.port, BURST_PATH, BURST)
        most_waiting, memory = _watch(asking, behind, before)
        found = _all_in_time(json.loads(asking.communicate()[0]))

    return found | {
        "waiting": most_waiting,
        "idle": idle.alone / 1e6,
        "pss": memory.pss / 1e6,
        "private": memory.private / 1e6,
        "alone": memory.alone / 1e6,
    }


def writes_at_once(folder: Path, settings: dict[str, str]) -> Found:
    """Measure tokens for 500 new users at once."""
    with (
        directory.new_database("sqlite", folder) as url,
        directory.serving(folder, url, **settings) as (before, key),
    ):
        answered = asked("burst", before.port, directory.issue(key, "user-{number}"), BURST)
        users = len(directory.user_ids(url))

    return _all_in_time(answered) | {"failures": answered["failures"], "users": users}


def _all_in_time(answered: Found) -> Found:
    times = answered["times"]
    last = times[-1] if times else float("nan")
    holds = len(times) == BURST and last <= BURST_WITHIN
    return {"succeeded": len(times), "last": last, "holds": holds}


def _watch(asked: subprocess.Popen[str], behind: Server, before: Server) -> tuple[int, Memory]:
    """Return the most requests that waited at the upstream, and the memory at that moment."""
    most, memory = -1, Memory()

    while asked.poll() is None:
        if (waiting := _in_flight(behind.port)) > most:
            most, memory = waiting, before.memory()

        time.sleep(0.1)

    return most, memory


def cpu_per_get(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Measure CPU microseconds per forwarded GET, all proxies in turn, again and again."""
    with contextlib.ExitStack() as stack:
        behind = stack.enter_context(upstream(folder))
        proxies = {
            name: stack.enter_context(sidecar(folder, behind.port, **settings))
            for name, settings in CANDIDATES.items()
        }
        proxies |= {
            name: stack.enter_context(plain_proxy(folder, behind.port, *options, **environ))
            for name, (options, environ) in PLAIN.items()
        }
        found: dict[str, list[float]] = {name: [] for name in proxies}

        for proxy in proxies.values():
            cpu_per_request(proxy, Request(GET_PATH), CONNECTIONS, WARM_UP)

        for number in range(rounds):
            names = list(proxies)
            for name in names[number:] + names[:number]:
                used = cpu_per_request(proxies[name], Request(GET_PATH), CONNECTIONS, GETS)
                found[name].append(used)

    return found


def main() -> None:
    """Measure, print the tables, and write those that are whole."""
    options = _options()
    raise_descriptor_limit()
    head = report.heading("Worker classes", _command(options)) + "\n" + report.MEDIANS
    sections: dict[str, str] = {}

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        for part, measure, show in _measurements(options.settle):
            if part in options.parts:
                sections[part] = show(_in_turn(measure, folder, options.rounds))

        if "3" in options.parts:
            sections["3"] = _cpu_table(cpu_per_get(folder, max(LEAST_ROUNDS, options.rounds)))

    print("\n".join([head, *sections.values(), report.ending()]))

    for parts, result in RESULTS.items():
        if sections.keys() >= set(parts) and options.settle == SETTLE:
            chosen = [sections[part] for part in parts]
            report.write(result, "\n".join([head, *chosen, report.ending()]))


def _measurements(
    settle: float,
) -> list[tuple[str, Callable[[Path, dict[str, str]], Found], Callable[..., str]]]:
    """List the measurements that each candidate goes through in turn."""
    slow = functools.partial(slow_callers, settle=settle)
    slow_and_writes = functools.partial(slow_callers_and_writes, settle=settle)
    return [
        ("1", slow, _slow_table),
        ("2", at_once, _burst_table),
        ("4", slow_and_writes, _slow_writes_table),
        ("5", writes_at_once, _burst_writes_table),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare worker classes.")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement")
    parser.add_argument(
        "--parts", default=DEFAULT_PARTS, help="which of the five, such as 13; 45 writes users"
    )
    parser.add_argument(
        "--settle",
        type=float,
        default=SETTLE,
        help="seconds between opening and asking, in parts 1 and 4",
    )
    return parser.parse_args()


def _command(options: argparse.Namespace) -> str:
    chosen = "" if options.parts == DEFAULT_PARTS else f" --parts {options.parts}"
    return (
        f"`python -m benchmarks.workers{chosen}`, {options.rounds} rounds, "
        f"{options.settle:g} s to settle"
    )


def _in_turn(
    measure: Callable[[Path, dict[str, str]], Found], folder: Path, rounds: int
) -> dict[str, list[Found]]:
    """Run one measurement of every candidate, then of every one again."""
    found: dict[str, list[Found]] = {name: [] for name in CANDIDATES}

    for number in range(rounds):
        for name, settings in CANDIDATES.items():
            found[name].append(measure(folder, settings))
            report.tell(f"round {number + 1}, {name}: {found[name][-1]}")

    return found


SLOW_COLUMNS = (
    "worker|failed of 1,500|p50 ms|p99 ms|slowest ms|slow ones open at the end, "
    "headers + bodies|slow ones answered afterwards, of 400|failed 0 and p99 < 100 ms"
)


def _slow_table(found: dict[str, list[Found]]) -> str:
    rows = [_slow_row(name, rounds) for name, rounds in found.items()]
    return table("1. 400 slow connections, 50 requests a second for 30 s", SLOW_COLUMNS, rows)


def _slow_writes_table(found: dict[str, list[Found]]) -> str:
    rows = [
        [
            *_slow_row(name, rounds),
            *cells(rounds, users=0),
            report.in_all(rounds, "failures"),
        ]
        for name, rounds in found.items()
    ]
    return table(
        "4. As 1, but each request is `POST /tokens` for a new user, on SQLite",
        f"{SLOW_COLUMNS}|users in the database|failures by kind",
        rows,
    )


def _slow_row(name: str, rounds: list[Found]) -> list[str]:
    return [
        name,
        *cells(rounds, failed=0, p50=1, p99=1, slowest=0),
        ", ".join(dict.fromkeys(one["open"] for one in rounds)),
        *cells(rounds, completed=0),
        verdict(rounds),
    ]


def _burst_table(found: dict[str, list[Found]]) -> str:
    columns = (
        "worker|succeeded of 500|last answer s|waiting upstream at once|alone before MB|"
        "PSS at that moment MB|of it private MB|alone MB|all within 4 s"
    )
    title = "2. 500 requests at once, answered upstream after 2 s"
    memory = {"idle": 1, "pss": 1, "private": 1, "alone": 1}
    return rounds_table(title, columns, found, succeeded=0, last=2, waiting=0, **memory)


def _burst_writes_table(found: dict[str, list[Found]]) -> str:
    columns = (
        "worker|succeeded of 500|last answer s|users in the database|failures by kind|"
        "all within 4 s"
    )
    title = "5. `POST /tokens` for 500 new users at once, on SQLite"
    return rounds_table(title, columns, found, "failures", succeeded=0, last=2, users=0)


def _cpu_table(found: dict[str, list[float]]) -> str:
    rows = [
        [
            name,
            listed(times, "{:.0f}"),
            ratios(times, found[PLAIN_GTHREAD]),
            ratios(times, found[PLAIN_GEVENT]),
        ]
        for name, times in found.items()
    ]
    columns = "proxy|CPU µs per GET|of plain under gthread|of plain under gevent"
    title = (
        f"3. CPU per forwarded GET, {CONNECTIONS} connections, {GETS} requests (aim ≤ {AT_MOST})"
    )
    return table(title, columns, rows)


def _in_flight(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/in-flight", timeout=5) as answer:
        return int(answer.read())


if __name__ == "__main__":
    main()
