"""Worker class and threads by measurement: `python -m benchmarks.workers`.

Three measurements of each candidate. A whole run as it is by default also writes
`benchmarks/results/workers.md`. What the columns mean is in the README beside this.
"""

import argparse
import contextlib
import datetime
import functools
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.processes import (
    ROOT,
    Memory,
    Server,
    load_average,
    machine,
    plain_proxy,
    raise_descriptor_limit,
    sidecar,
    stand_in,
    upstream,
)

PARTS = "123"
RESULTS = ROOT / "benchmarks" / "results" / "workers.md"

Found = dict[str, Any]


def _gthread(threads: int) -> dict[str, str]:
    return {"WORKER_CLASS": "gthread", "WORKER_CONNECTIONS": str(threads)}


CANDIDATES: dict[str, dict[str, str]] = {
    "gevent, as shipped": {},
    "gthread, 1,200 threads": _gthread(1200),
    "gthread, 64 threads": _gthread(64),
}

#: Options of gunicorn, and the variables, of each plain proxy.
KEPT = ("--keep-alive", "75")
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
SLOW_PATH = "/proxy/_sandbox/status/200"
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
        counts = (str(SLOW_EACH), str(SLOW_EACH))
        slow = _start("slow", str(before.port), SLOW_PATH, *counts)
        assert slow.stdout is not None
        assert slow.stdout.readline() == "open\n"
        time.sleep(settle)
        asked = _start("steady", str(before.port), SLOW_PATH, str(RATE), str(SECONDS))
        steady = json.loads(asked.communicate()[0])
        slowly = json.loads(slow.communicate("stop\n")[0])

    times = steady["times"]
    found = {
        "failed": steady["failed"],
        "p50": _percentile(times, 0.50) * 1000,
        "p99": _percentile(times, 0.99) * 1000,
        "slowest": _percentile(times, 1.0) * 1000,
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
        asked = _start("burst", str(before.port), BURST_PATH, str(BURST))
        most_waiting, memory = _watch(asked, behind, before)
        answered = json.loads(asked.communicate()[0])

    times = answered["times"]
    found = {
        "succeeded": len(times),
        "last": times[-1] if times else float("nan"),
        "waiting": most_waiting,
        "idle": idle.alone / 1e6,
        "pss": memory.pss / 1e6,
        "private": memory.private / 1e6,
        "alone": memory.alone / 1e6,
    }
    found["holds"] = len(times) == BURST and found["last"] <= BURST_WITHIN
    return found


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
            _closed(proxy, WARM_UP)

        for number in range(rounds):
            names = list(proxies)
            for name in names[number:] + names[:number]:
                before = proxies[name].cpu_seconds()
                _closed(proxies[name], GETS)
                used = proxies[name].cpu_seconds() - before
                found[name].append(used / GETS * 1e6)

    return found


def main() -> None:
    """Measure, print the tables, and write them where the run was whole."""
    options = _options()
    raise_descriptor_limit()
    sections = [_heading(options)]
    slow = functools.partial(slow_callers, settle=options.settle)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        if "1" in options.parts:
            sections.append(_slow_table(_in_turn(slow, folder, options.rounds)))

        if "2" in options.parts:
            sections.append(_burst_table(_in_turn(at_once, folder, options.rounds)))

        if "3" in options.parts:
            sections.append(_cpu_table(cpu_per_get(folder, max(LEAST_ROUNDS, options.rounds))))

    sections.append(f"Load average at the end {load_average()}.\n")
    text = "\n".join(sections)
    print(text)

    if options.parts == PARTS and options.settle == SETTLE:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare worker classes.")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement")
    parser.add_argument("--parts", default=PARTS, help="which of the three, such as 13")
    parser.add_argument(
        "--settle", type=float, default=SETTLE, help="seconds between opening and asking, in part 1"
    )
    return parser.parse_args()


def _in_turn(
    measure: Callable[[Path, dict[str, str]], Found], folder: Path, rounds: int
) -> dict[str, list[Found]]:
    """Run one measurement of every candidate, then of every one again."""
    found: dict[str, list[Found]] = {name: [] for name in CANDIDATES}

    for number in range(rounds):
        for name, settings in CANDIDATES.items():
            found[name].append(measure(folder, settings))
            _tell(f"round {number + 1}, {name}: {found[name][-1]}")

    return found


def _heading(options: argparse.Namespace) -> str:
    now = datetime.datetime.now(datetime.UTC)
    return (
        f"# Worker classes\n\n`python -m benchmarks.workers`, {options.rounds} rounds, "
        f"{options.settle:g} s to settle, {now:%Y-%m-%d %H:%M} UTC. {machine()}.\n\n"
        "Each cell is the median of the rounds; in brackets every round, in order.\n"
    )


def _slow_table(found: dict[str, list[Found]]) -> str:
    rows = [
        [
            name,
            _cell(rounds, "failed", "{:.0f}"),
            _cell(rounds, "p50", "{:.1f}"),
            _cell(rounds, "p99", "{:.1f}"),
            _cell(rounds, "slowest", "{:.0f}"),
            ", ".join(dict.fromkeys(one["open"] for one in rounds)),
            _cell(rounds, "completed", "{:.0f}"),
            _verdict(rounds),
        ]
        for name, rounds in found.items()
    ]
    columns = (
        "worker|failed of 1,500|p50 ms|p99 ms|slowest ms|slow ones open at the end, "
        "headers + bodies|slow ones answered afterwards, of 400|failed 0 and p99 < 100 ms"
    )
    return _table("1. 400 slow connections, 50 requests a second for 30 s", columns, rows)


def _burst_table(found: dict[str, list[Found]]) -> str:
    rows = [
        [
            name,
            _cell(rounds, "succeeded", "{:.0f}"),
            _cell(rounds, "last", "{:.2f}"),
            _cell(rounds, "waiting", "{:.0f}"),
            _cell(rounds, "idle", "{:.1f}"),
            _cell(rounds, "pss", "{:.1f}"),
            _cell(rounds, "private", "{:.1f}"),
            _cell(rounds, "alone", "{:.1f}"),
            _verdict(rounds),
        ]
        for name, rounds in found.items()
    ]
    columns = (
        "worker|succeeded of 500|last answer s|waiting upstream at once|alone before MB|"
        "PSS at that moment MB|of it private MB|alone MB|all within 4 s"
    )
    return _table("2. 500 requests at once, answered upstream after 2 s", columns, rows)


def _cpu_table(found: dict[str, list[float]]) -> str:
    def ratios(times: list[float], peer: str) -> str:
        shares = [mine / its for mine, its in zip(times, found[peer], strict=True)]
        return _listed(shares, "{:.2f}")

    rows = [
        [
            name,
            _listed(times, "{:.0f}"),
            ratios(times, PLAIN_GTHREAD),
            ratios(times, PLAIN_GEVENT),
        ]
        for name, times in found.items()
    ]
    columns = "proxy|CPU µs per GET|of plain under gthread|of plain under gevent"
    title = (
        f"3. CPU per forwarded GET, {CONNECTIONS} connections, {GETS} requests (aim ≤ {AT_MOST})"
    )
    return _table(title, columns, rows)


def _table(title: str, columns: str, rows: Sequence[Sequence[str]]) -> str:
    names = columns.split("|")
    lines = [names, ["---"] * len(names), *rows]
    return f"\n## {title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(rounds: list[Found], key: str, form: str) -> str:
    return _listed([one[key] for one in rounds], form)


def _listed(values: list[float], form: str) -> str:
    shown = ", ".join(form.format(value) for value in values)
    return f"{form.format(median(values))} ({shown})"


def _verdict(rounds: list[Found]) -> str:
    return f"{sum(one['holds'] for one in rounds)} of {len(rounds)} rounds"


def _percentile(ordered: list[float], share: float) -> float:
    """Return the smallest time that at least this share of the times do not exceed."""
    if not ordered:
        return float("nan")

    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _closed(proxy: Server, requests: int) -> None:
    """Load a proxy; anything but success makes its figure worthless."""
    arguments = (str(proxy.port), GET_PATH, str(CONNECTIONS), str(requests))
    outcome = json.loads(_start("closed", *arguments).communicate()[0])

    if outcome["failed"]:
        raise RuntimeError(f"{proxy.command}: {outcome}")


def _start(kind: str, *arguments: str) -> subprocess.Popen[str]:
    """Start callers in a process of their own."""
    module = ["benchmarks.slow"] if kind == "slow" else ["benchmarks.load", kind]
    return subprocess.Popen(
        [sys.executable, "-m", *module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _in_flight(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/in-flight", timeout=5) as answer:
        return int(answer.read())


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
