"""Idle memory and start of the sidecar as shipped: `python -m benchmarks.footprint`.

The table is written to `benchmarks/results/footprint.md`.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks import report
from benchmarks.processes import NOBODY, Memory, memory_of, sidecar
from chatproxy.providers import SETTINGS

STARTS = 5
SETTLE = 3.0
SECRETS = ("KEY_SIGNING_SECRET", "CHATSDK_JWT_SECRET", "CENTRIFUGO_TOKEN_SECRET")
FURTHER = ("PERFORMCHAT_JWT_SECRET", "IMBACHAT_API_PASSWORD", "IMBACHAT_SECRET_KEY")


def measure(folder: Path, settings: dict[str, str]) -> tuple[float, float, list[Memory]]:
    """Start one sidecar; return its seconds to ready, those of CPU, and its memory.

    The memory is that of master, worker and both.
    """
    with sidecar(folder, NOBODY, **settings) as started:
        cpu = started.cpu_seconds()
        time.sleep(SETTLE)
        master, worker = started.pids()
        each = [memory_of([master]), memory_of([worker]), started.memory()]
        return started.seconds_to_ready, cpu, each


def main() -> None:
    """Measure, print the tables and write them."""
    text = _heading()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        for title, settings in {"Stream alone": {}, "Five providers": _five(folder)}.items():
            if settings:
                measure(folder, settings)  # makes the database
            found = [measure(folder, settings) for _ in range(STARTS)]
            seconds, cpu, memories = zip(*found, strict=True)
            text += f"## {title}\n\n" + _memory_table(memories) + _start_line(seconds, cpu) + "\n"

    report.write("footprint", text.rstrip() + "\n")
    print(text)


def _five(folder: Path) -> dict[str, str]:
    secrets = {name: f"benchmark-{name.lower()}-of-no-account" for name in (*SECRETS, *FURTHER)}
    return secrets | {
        "PROVIDERS": ",".join(SETTINGS),
        "DATABASE_URL": f"sqlite:///{folder / 'chatproxy.db'}",
    }


def _heading() -> str:
    return (
        report.heading("Footprint", "`python -m benchmarks.footprint`")
        + f"\nIdle, {SETTLE:.0f} s after the first 200 on `/-/ready`; shipped settings, one "
        f"worker; five providers with a SQLite file that is there. Median of {STARTS} starts, in "
        f"MB (10^6 bytes).\n\n"
    )


def _memory_table(starts: Sequence[list[Memory]]) -> str:
    lines = ["| process | PSS | private | alone |", "| --- | --- | --- | --- |"]

    for place, name in enumerate(("master", "worker", "both")):
        found = [memories[place] for memories in starts]
        pss, private, alone = (
            _megabytes([getattr(one, field) for one in found])
            for field in ("pss", "private", "alone")
        )
        lines.append(f"| {name} | {pss} | {private} | {alone if name == 'both' else ''} |")

    return "\n".join(lines) + "\n\n"


def _start_line(seconds: Sequence[float], cpu: Sequence[float]) -> str:
    each = ", ".join(f"{one:.2f}" for one in seconds)
    return (
        "Seconds from the start of the process to the first 200 on `/-/ready`: "
        f"{median(seconds):.2f} ({each}), of which {median(cpu):.2f} of CPU.\n"
    )


def _megabytes(sizes: list[int]) -> str:
    return f"{median(sizes) / 1e6:.1f}"


if __name__ == "__main__":
    main()
