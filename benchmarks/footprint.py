"""Idle memory and start of the sidecar as shipped: `python -m benchmarks.footprint`.

The table is written to `benchmarks/results/footprint.md`.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import report
from benchmarks.processes import NOBODY, memory_of, sidecar
from benchmarks.report import Found, listed, table
from chatproxy.providers import SETTINGS

STARTS = 5
SETTLE = 3.0
WORKERS = (1, 2)
SECRETS = ("KEY_SIGNING_SECRET", "CHATSDK_JWT_SECRET", "CENTRIFUGO_TOKEN_SECRET")
FURTHER = ("PERFORMCHAT_JWT_SECRET", "IMBACHAT_API_PASSWORD", "IMBACHAT_SECRET_KEY")
ALONE, FIVE = "Stream alone", "five providers"


def measure(folder: Path, settings: dict[str, str], settle: float = SETTLE) -> Found:
    """Start one sidecar; return its seconds to ready, those of CPU, and its memory in MB."""
    with sidecar(folder, NOBODY, **settings) as started:
        cpu = started.cpu_seconds()
        time.sleep(settle)
        master, *workers = started.pids()
        whole = started.memory()
        return {
            "seconds": started.seconds_to_ready,
            "cpu": cpu,
            "master": memory_of([master]).private / 1e6,
            "worker": memory_of(workers[:1]).private / 1e6,
            "pss": whole.pss / 1e6,
            "alone": whole.alone / 1e6,
        }


def providers(folder: Path) -> dict[str, dict[str, str]]:
    """Return the settings of a sidecar with one provider, and of one with five."""
    secrets = {name: f"benchmark-{name.lower()}-of-no-account" for name in (*SECRETS, *FURTHER)}
    url = f"sqlite:///{folder / 'chatproxy.db'}"
    return {ALONE: {}, FIVE: secrets | {"PROVIDERS": ",".join(SETTINGS), "DATABASE_URL": url}}


def main() -> None:
    """Measure, print the tables and write them."""
    starts, whole = report.asked("starts", STARTS, "starts of each", __doc__)
    head = report.heading("Footprint", f"`python -m benchmarks.footprint`, {starts} starts each")

    with tempfile.TemporaryDirectory() as name:
        found = in_turn(Path(name), starts)

    note = (
        f"Idle, {SETTLE:.0f} s after the first 200 on `/-/ready`; shipped settings; five providers "
        "with a SQLite file that is there. MB are 10^6 bytes; the memory is the median of the "
        "starts.\n"
    )
    rows = [[name, *_cells(rounds)] for name, rounds in found.items()]
    columns = (
        "sidecar|alone MB|PSS MB|private to the master MB|private to a worker MB|"
        "seconds to ready|seconds of CPU until then"
    )
    parts = [note, table("Memory and start", columns, rows)]
    report.finish("footprint", head, *parts, whole=whole, found=found)


def in_turn(folder: Path, starts: int) -> dict[str, list[Found]]:
    """Start each in turn, again and again."""
    found: dict[str, list[Found]] = {}
    measure(folder, providers(folder)[FIVE], settle=0)  # makes the database

    for number in range(starts):
        for name, settings in _each(folder):
            found.setdefault(name, []).append(measure(folder, settings))
            report.tell(f"start {number + 1}, {name}: {found[name][-1]}")

    return found


def _each(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for name, settings in providers(folder).items():
        for workers in WORKERS:
            title = f"{name}, {workers} worker{'s' * (workers > 1)}"
            yield title, settings | {"WORKERS": str(workers)}


def _cells(starts: list[Found]) -> list[str]:
    keys = ("alone", "pss", "master", "worker")
    memory = [f"{median(one[key] for one in starts):.1f}" for key in keys]
    return memory + [listed([one[key] for one in starts], "{:.2f}") for key in ("seconds", "cpu")]


if __name__ == "__main__":
    main()
