"""What every result has in common: its heading, its tables, and where it is written."""

import argparse
import collections
import datetime
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.processes import ROOT, load_average, machine

RESULTS = ROOT / "benchmarks" / "results"

#: What a measurement found in one round, by the name of each figure.
Found = dict[str, Any]

MEDIANS = "Each cell is the median of the rounds; in brackets every round, in order.\n"


def asked(option: str, default: int, meaning: str, description: str | None) -> tuple[int, bool]:
    """Read a benchmark's one number from the command line, and whether to write its result.

    A result of fewer rounds than usual is written where that is asked for.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(f"--{option}", type=int, default=default, help=meaning)
    parser.add_argument("--write", action="store_true", help="write the result of any number")
    options = parser.parse_args()
    number: int = getattr(options, option)
    return number, options.write or number == default


def heading(title: str, command: str, *further: str) -> str:
    """Say what was measured, when and on what. Asked for before anything is measured."""
    now = datetime.datetime.now(datetime.UTC)
    return f"# {title}\n\n{command}, {now:%Y-%m-%d %H:%M} UTC. {machine(*further)}.\n"


def ending() -> str:
    """Say what the machine was doing at the end."""
    return f"Load average at the end {load_average()}.\n"


def table(title: str, columns: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a table below its title; the columns' names stand between bars."""
    names = columns.split("|")
    lines = [names, ["---"] * len(names), *rows]
    return f"\n## {title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rounds_table(
    title: str,
    columns: str,
    found: Mapping[str, Sequence[Found]],
    *counts: str,
    **digits: int,
) -> str:
    """Return a table of what was measured: a row has a name, figures, counts, and the verdict."""
    rows = [
        [name, *cells(rounds, **digits), *(in_all(rounds, key) for key in counts), verdict(rounds)]
        for name, rounds in found.items()
    ]
    return table(title, columns, rows)


def cells(rounds: Sequence[Found], **digits: int) -> list[str]:
    """Return each figure's median and that of every round, to so many digits after the point."""
    return [listed([one[key] for one in rounds], f"{{:.{n}f}}") for key, n in digits.items()]


def listed(values: Sequence[float], form: str) -> str:
    """Return the median, and every value in brackets."""
    shown = ", ".join(form.format(value) for value in values)
    return f"{form.format(median(values))} ({shown})"


def ratios(values: Sequence[float], peer: Sequence[float], form: str = "{:.2f}") -> str:
    """Return each value as a part of the peer's in the same round."""
    return listed([mine / its for mine, its in zip(values, peer, strict=True)], form)


def counted(counts: Mapping[str, int]) -> str:
    """Return how often each thing happened, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda one: -one[1])
    return ", ".join(f"{times} × {name}" for name, times in ordered) or "none"


def in_all(rounds: Sequence[Found], key: str) -> str:
    """Return how often each thing happened in all rounds together."""
    together: collections.Counter[str] = collections.Counter()

    for one in rounds:
        together.update(one[key])

    return counted(together)


def verdict(rounds: Sequence[Found]) -> str:
    """Say in how many rounds it held."""
    return f"{sum(one['holds'] for one in rounds)} of {len(rounds)} rounds"


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest time that at least this share of the times do not exceed."""
    if not ordered:
        return float("nan")

    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def finish(name: str, *parts: str, whole: bool, found: object = None) -> None:
    """Print a result with its ending, and write it where the run was whole.

    What was `found` is written beside it, for the plots.
    """
    text = "\n".join([*parts, ending()])
    print(text)

    if whole:
        write(name, text)

    if whole and found is not None:
        content = json.dumps({"head": parts[0], "found": found}, indent=1)
        (RESULTS / f"{name}.json").write_text(content + "\n")


def write(name: str, text: str) -> Path:
    """Write a result."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.md"
    path.write_text(text)
    return path


def tell(text: str) -> None:
    """Say meanwhile how it goes."""
    print(text, file=sys.stderr, flush=True)
