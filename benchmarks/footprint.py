"""Idle memory and start of the sidecar as shipped: `python -m benchmarks.footprint`.

The table is written to `benchmarks/results/footprint.md`.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import report
from benchmarks.processes import NOBODY, Memory, memory_of, sidecar

STARTS = 5
SETTLE = 3.0


def measure(folder: Path) -> tuple[float, list[Memory]]:
    """Start one sidecar; return its seconds to ready; memory of master, worker and both."""
    with sidecar(folder, NOBODY) as started:
        time.sleep(SETTLE)
        master, worker = started.pids()
        each = [memory_of([master]), memory_of([worker]), started.memory()]
        return started.seconds_to_ready, each


def main() -> None:
    """Measure, print the table and write it."""
    heading = _heading()

    with tempfile.TemporaryDirectory() as name:
        found = [measure(Path(name)) for _ in range(STARTS)]

    text = heading + _memory_table([memories for _, memories in found])
    text += _start_line([seconds for seconds, _ in found])
    report.write("footprint", text)
    print(text)


def _heading() -> str:
    return (
        report.heading("Footprint", "`python -m benchmarks.footprint`")
        + f"\nIdle, {SETTLE:.0f} s after the first 200 on `/-/ready`; shipped settings, one "
        f"worker. Median of {STARTS} starts, in MB (10^6 bytes).\n\n"
    )


def _memory_table(starts: list[list[Memory]]) -> str:
    lines = ["| process | PSS | private | alone |", "| --- | --- | --- | --- |"]

    for place, name in enumerate(("master", "worker", "both")):
        found = [memories[place] for memories in starts]
        pss, private, alone = (
            _megabytes([getattr(one, field) for one in found])
            for field in ("pss", "private", "alone")
        )
        lines.append(f"| {name} | {pss} | {private} | {alone if name == 'both' else ''} |")

    return "\n".join(lines) + "\n\n"


def _start_line(seconds: list[float]) -> str:
    each = ", ".join(f"{one:.2f}" for one in seconds)
    return (
        "Seconds from the start of the process to the first 200 on `/-/ready`: "
        f"{median(seconds):.2f} ({each}).\n"
    )


def _megabytes(sizes: list[int]) -> str:
    return f"{median(sizes) / 1e6:.1f}"


if __name__ == "__main__":
    main()
