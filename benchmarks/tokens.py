"""What a token costs, and whether many at once make each user once: `python -m benchmarks.tokens`.

A run as it is by default also writes `results/tokens.md`. What the columns mean is in
the README beside this.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import directory, report, sdk_calls
from benchmarks.processes import (
    API_SECRET,
    APP,
    KEPT,
    NOBODY,
    ROOT,
    Server,
    asked,
    cpu_per_request,
    plain_app,
    raise_descriptor_limit,
    sidecar,
)
from benchmarks.report import Found, listed, ratios, rounds_table, table
from benchmarks.request import Request
from chatproxy.providers.stream.webhooks.signatures import Signatures

ROUNDS = 5
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

REQUESTS, USERS = 1000, 100
PARALLEL = 64
WORKERS = 2

CONNECTIONS = 16
#: Users that are known. A round begins with one request for each, which is not measured:
#: once a minute it is written when a user was last seen.
KNOWN = 100
FOR_KNOWN, FOR_NEW, OF_STREAM, IN_PROCESS = 2000, 1000, 3000, 5000
WARM_UP = 300

SDK_PYTHON = ROOT / ".venv-sdks" / "bin" / "python"
EMPTY = "an empty Flask route under the sidecar's worker"
PLAIN = "plain Flask, gunicorn's gevent: Stream's token with PyJWT"
CHECK = "the sidecar's own check of a webhook, in-process"

#: Measures one of the peers in one round: microseconds of CPU each.
Measure = Callable[[int], float]


def made_at_once(
    folder: Path, url: str, requests: int = REQUESTS, users: int = USERS, **settings: str
) -> Found:
    """Ask for tokens of few new users in parallel; count what the database has then."""
    with directory.serving(folder, url, WORKERS=str(WORKERS), **settings) as (before, key):
        request = directory.issue(key, "user-{number}", each=requests // users)
        answered = asked("closed", before.port, request, PARALLEL, requests)

        reasons = directory.reasons(before)

    ids = directory.user_ids(url)
    holds = not answered["failed"] and sorted(ids) == sorted(f"user-{n}" for n in range(users))
    return {
        "users": len(ids),
        "failed": answered["failed"],
        "failures": answered["failures"],
        "reasons": reasons,
        "seconds": answered["seconds"],
        "rate": requests / answered["seconds"],
        "p50": report.percentile(answered["times"], 0.5) * 1000,
        "slowest": report.percentile(answered["times"], 1.0) * 1000,
        "holds": holds,
    }


def at_once(folder: Path, rounds: int) -> dict[str, list[Found]]:
    """Measure each database in turn, every time a new one."""
    found: dict[str, list[Found]] = {name: [] for name in NAMES.values()}

    for number in range(rounds):
        for kind, name in NAMES.items():
            with directory.new_database(kind, folder) as url:
                found[name].append(made_at_once(folder, url))

            report.tell(f"round {number + 1}, {name}: {found[name][-1]}")

    return found


def cpu_per_token(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Measure CPU microseconds per token, all in turn, again and again."""
    with contextlib.ExitStack() as stack:
        peers = _peers(folder, stack)
        found: dict[str, list[float]] = {name: [] for name in peers}

        for number in range(rounds):
            names = list(peers)
            shift = number % len(names)

            for name in names[shift:] + names[:shift]:
                found[name].append(peers[name](number))
                report.tell(f"round {number + 1}, {name}: {found[name][-1]:.0f}")

            for name, used in _in_process().items():
                found.setdefault(name, []).append(used)

    return found


def _peers(folder: Path, stack: contextlib.ExitStack) -> dict[str, Measure]:
    """Start all that is compared; return how each is measured."""
    peers: dict[str, Measure] = {}

    for kind, name in NAMES.items():
        url = stack.enter_context(directory.new_database(kind, folder))
        server, key = stack.enter_context(directory.serving(folder, url))

        def known(_: int, server=server, key=key) -> float:
            request = directory.issue(key, "known-{number}", numbers=KNOWN)
            cpu_per_request(server, request, CONNECTIONS, KNOWN)
            return cpu_per_request(server, request, CONNECTIONS, FOR_KNOWN)

        def new(number: int, server=server, key=key) -> float:
            request = directory.issue(key, f"new-{number}-{{number}}")
            return cpu_per_request(server, request, CONNECTIONS, FOR_NEW)

        peers[f"`POST /tokens`, known user, {name}"] = known
        peers[f"`POST /tokens`, new user, {name}"] = new

        if kind == "sqlite":
            shipped = server

    options = (*KEPT, "--worker-class", "gevent")
    plain = stack.enter_context(plain_app("plain_tokens", folder, "/empty", *options))
    ours = sidecar(folder, NOBODY)
    ours.command = ["benchmarks.plain_tokens:app" if one == APP else one for one in ours.command]
    ours.probe = "/empty"
    stack.enter_context(ours)
    verify = Request("/webhook/verify", "POST", body=_event())

    return peers | {
        "`GET /token/<userId>`, Stream's": _asking(shipped, Request("/token/user-{number}")),
        "`POST /webhook/verify`, an event of 1 KB": _asking(shipped, verify),
        EMPTY: _asking(ours, Request("/empty")),
        PLAIN: _asking(plain, Request("/token/user-{number}")),
    }


def _asking(server: Server, request: Request) -> Measure:
    cpu_per_request(server, request, CONNECTIONS, WARM_UP)
    return lambda _: cpu_per_request(server, request, CONNECTIONS, OF_STREAM)


def _event() -> str:
    return json.dumps({"rawBody": sdk_calls.EVENT.decode(), "signature": sdk_calls.SIGNATURE})


def _in_process() -> dict[str, float]:
    command = [str(SDK_PYTHON), "-W", "ignore", "-m", "benchmarks.sdk_calls", str(IN_PROCESS)]
    found: dict[str, float] = json.loads(subprocess.check_output(command, cwd=ROOT, text=True))
    check, signature = Signatures([API_SECRET]).is_right, sdk_calls.SIGNATURE.encode()
    ours = sdk_calls.cpu_per_call(lambda _: check(sdk_calls.EVENT, signature), IN_PROCESS)
    return found | {CHECK: ours}


def main() -> None:
    """Measure, print the tables, and write them where the run was whole."""
    rounds, whole = report.asked("rounds", ROUNDS, "rounds of each measurement", __doc__)
    raise_descriptor_limit()

    if not SDK_PYTHON.exists():
        sys.exit("Stream's SDK is not here: make sdks")

    command = f"`python -m benchmarks.tokens`, {rounds} rounds"
    head = report.heading("Tokens", command, "PyJWT", "SQLAlchemy", "psycopg")

    with tempfile.TemporaryDirectory() as name:
        made, used = at_once(Path(name), rounds), cpu_per_token(Path(name), rounds)

    sections = [_at_once_table(made), _cpu_table(used)]
    report.finish("tokens", head, report.MEDIANS, *sections, whole=whole, found=used)


def _at_once_table(found: dict[str, list[Found]]) -> str:
    title = (
        f"1. {REQUESTS:,} × `POST /tokens` for {USERS} new users, {PARALLEL} connections, "
        f"{WORKERS} workers"
    )
    columns = (
        "database|users in the database|errors|requests per second|seconds|p50 ms|slowest ms|"
        f"what the log says of errors|errors 0 and users {USERS}"
    )
    digits = {"users": 0, "failed": 0, "rate": 0, "seconds": 2, "p50": 0, "slowest": 0}
    return rounds_table(title, columns, found, "reasons", **digits)


def _cpu_table(found: dict[str, list[float]]) -> str:
    rows = [
        [
            name,
            listed(times, "{:.0f}"),
            *(ratios(times, found[peer]) for peer in (EMPTY, sdk_calls.TOKEN)),
        ]
        for name, times in found.items()
    ]
    title = f"2. CPU per token or check, {CONNECTIONS} kept connections, one worker"
    columns = "what|CPU µs|× an empty route|× the SDK's token"
    return table(title, columns, rows)


if __name__ == "__main__":
    main()
