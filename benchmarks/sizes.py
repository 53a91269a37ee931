"""Does the size of the directory matter? `python -m benchmarks.sizes`.

Asks for tokens and for users info, with 10, 10,000 and 1,000,000 users on SQLite. The table is
written to `benchmarks/results/sizes.md`.
"""

import base64
import contextlib
import functools
import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import directory, report
from benchmarks.processes import Server, cpu_per_request, raise_descriptor_limit
from benchmarks.report import listed, ratios, table
from benchmarks.request import Request

SIZES = (10, 10_000, 1_000_000)
ROUNDS, CONNECTIONS = 5, 16
#: Those that are asked for, spread evenly over all. They are few, so that a round begins with the
#: write of when each was last seen, and then writes no more.
ASKED = 10
TIMES, WARM_UP = 1000, 100
PASSWORD = "benchmark-imbachat-password-of-no-account"
SETTINGS = {
    "PROVIDERS": "stream,chatsdk,imbachat",
    "IMBACHAT_API_PASSWORD": PASSWORD,
    "IMBACHAT_SECRET_KEY": "benchmark-imbachat-secret-of-no-account",
}


def fill(url: str, size: int) -> None:
    """Make so many users with numbers for ids, from `size` on, in the only app that has a key."""
    now = time.time()
    rows = (
        (f"{number:032x}", str(number), f"Name of {number}", now, now, now)
        for number in range(size, 2 * size)
    )

    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        [[app]] = connection.execute("SELECT DISTINCT app_id FROM api_keys").fetchall()
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany(
            "INSERT INTO users (id, app_id, external_id, name, custom, active, token_version, "
            f"created, updated, last_seen) VALUES (?, '{app}', ?, ?, '{{}}', 1, 0, ?, ?, ?)",
            rows,
        )
        connection.commit()
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def requests(key: str, size: int) -> dict[str, Request]:
    """Return what is asked of a directory of that size."""
    # `size` is a power of ten: its users are 1000 to 1999, so 1{number}00 are ten of them.
    zeros = len(str(size)) - 2
    ids = [f"1{number}{'0' * zeros}" for number in range(ASKED)]
    basic = base64.b64encode(f"imbachat:{PASSWORD}".encode()).decode()
    fields = (f"Authorization: Basic {basic}",)
    return {
        "`POST /tokens`": directory.issue(key, f"1{{number}}{'0' * zeros}", numbers=ASKED),
        "users info of one": Request(f"/imbachat/users?user_ids={ids[3]}", fields=fields),
        "users info of ten": Request(f"/imbachat/users?user_ids={','.join(ids)}", fields=fields),
    }


def measure(folder: Path, rounds: int) -> dict[tuple[str, int], list[float]]:
    """Measure all sizes in turn, again and again; return the CPU microseconds of each."""
    found: dict[tuple[str, int], list[float]] = {}

    with contextlib.ExitStack() as stack:
        measured: dict[tuple[str, int], Callable[[], float]] = {}

        for size in SIZES:
            url = stack.enter_context(directory.new_database("sqlite", folder))
            filled = functools.partial(fill, url, size)
            serving = directory.serving(folder, url, prepare=filled, **SETTINGS)
            server, key = stack.enter_context(serving)

            for name, request in requests(key, size).items():
                _check_known(server, request)
                cpu_per_request(server, request, CONNECTIONS, WARM_UP)
                measured[name, size] = functools.partial(_cpu, server, request)

        for number in range(rounds):
            # What is compared is measured one after the other.
            keys = sorted(measured)
            shift = number % len(keys)

            for one in keys[shift:] + keys[:shift]:
                found.setdefault(one, []).append(measured[one]())
                report.tell(f"round {number + 1}, {one}: {found[one][-1]:.0f}")

    return found


def _check_known(server: Server, request: Request) -> None:
    # Nobody is found in no time.
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(request.to_bytes(0, "Connection: close"))
        answer = b"".join(iter(functools.partial(sock.recv, 65536), b""))

    if answer.count(b"Name of ") != request.path.count(",") + 1 and request.method == "GET":
        raise RuntimeError(f"{request.path}: {answer!r}")


def _cpu(server: Server, request: Request) -> float:
    # Once a minute it is written when somebody was last seen. That is not measured.
    cpu_per_request(server, request, CONNECTIONS, ASKED)
    return cpu_per_request(server, request, CONNECTIONS, TIMES)


def _named(found: dict[tuple[str, int], list[float]]) -> dict[str, dict[str, list[float]]]:
    named: dict[str, dict[str, list[float]]] = {}

    for (name, size), times in found.items():
        named.setdefault(name, {})[str(size)] = times

    return named


def sizes_table(found: dict[tuple[str, int], list[float]]) -> str:
    """Return what each costs, and how it grows."""
    rows = [
        [name, f"{size:,}", listed(times, "{:.0f}"), ratios(times, found[name, SIZES[0]])]
        for (name, size), times in sorted(found.items())
    ]
    return table("CPU per request", f"what|users|CPU µs|× that of {SIZES[0]}", rows)


def main() -> None:
    """Measure, print the table, and write it where the run was whole."""
    rounds, whole = report.asked("rounds", ROUNDS, "rounds of each measurement", __doc__)
    raise_descriptor_limit()
    command = f"`python -m benchmarks.sizes`, {rounds} rounds"
    head = report.heading("Sizes of the directory", command, "SQLAlchemy")

    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), rounds)

    report.finish(
        "sizes",
        head,
        report.MEDIANS,
        sizes_table(found),
        whole=whole,
        found=_named(found),
    )


if __name__ == "__main__":
    main()
