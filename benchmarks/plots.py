"""Draws what the results found: `python -m benchmarks.plots`, after `make bench`.

Each plot is `results/<name>.svg`, from the JSON that lies beside the result's table. It needs
matplotlib (the extra `bench`).
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.peers.measures import KINDS
from benchmarks.peers.tables import DIRECT, PLAIN
from benchmarks.report import RESULTS, tell
from benchmarks.stages import BETWEEN, STAGES

OURS, OTHERS, EARLIER = "#1f6feb", "#8c959f", "#bf8700"
COLOURS = {"sidecar": OURS, "before": EARLIER}
SHORT = ("get", "post", "chunked")
SHOWN = 16

Axes = Any
Figure = Any


def peers(figure: Figure, found: Mapping[str, Any]) -> None:
    """Draw the CPU of short calls as parts of the plain proxy's."""
    names = [name for name in found if name not in (DIRECT, PLAIN)]
    kinds = [name for name in SHORT if f"{name}-{SHOWN}" in found[names[0]]]

    for axes, kind in zip(_row_of(figure, len(kinds)), kinds, strict=True):
        key = f"{kind}-{SHOWN}"
        plain = [one["cpu"] for one in found[PLAIN][key]]
        parts = {
            name: [one["cpu"] / its for one, its in zip(found[name][key], plain, strict=True)]
            for name in names
        }
        bars(axes, parts, "{:.2f}")
        axes.set_title(KINDS[kind].title)

    figure.suptitle(f"CPU per call, plain Flask + requests = 1 ({SHOWN} connections)")


def latency(figure: Figure, found: Mapping[str, Any]) -> None:
    """Draw how long a GET took, the median and the slowest hundredth."""
    kind = KINDS["get"]
    figure.suptitle(f"{kind.title}: ms from asking to the last byte, p50 and (light) p99")

    for axes, connections in zip(
        _row_of(figure, len(kind.connections)), kind.connections, strict=True
    ):
        key = f"get-{connections}"
        measured = {name: one[key] for name, one in found.items() if key in one}
        slow = {name: [one["p99"] for one in rounds] for name, rounds in measured.items()}
        bars(axes, slow, "", alpha=0.35)
        usual = {name: [one["p50"] for one in rounds] for name, rounds in measured.items()}
        bars(axes, usual, "{:.2f}")
        axes.set_xscale("log")
        axes.set_title(f"{connections} connection{'s' * (connections > 1)}")


def bodies(figure: Figure, found: Mapping[str, Any]) -> None:
    """Draw how fast one body moves."""
    measured = {key for one in found.values() for key in one if one is not None}
    size = 1000 if "down-1000" in measured else 100
    figure.suptitle(f"One body of {size:,} MB on one connection, MB/s")

    for axes, way in zip(_row_of(figure, 2), ("down", "up"), strict=True):
        key = f"{way}-{size}"
        speeds = {name: [one["speed"] for one in rounds[key]] for name, rounds in found.items()}
        bars(axes, speeds, "{:.0f}")
        axes.set_title({"down": "GET", "up": "POST"}[way])


def stages(figure: Figure, found: Mapping[str, Any]) -> None:
    """Draw what each stage costs, in hundredths of the plain proxy's call."""
    plain = [one["plain"] for one in found["whole"]]
    parts = {
        name: [100 * one[name] / its for one, its in zip(found["stages"], plain, strict=True)]
        for name in (*STAGES, BETWEEN)
    }
    [axes] = _row_of(figure, 1)
    bars(axes, parts, "{:.1f}", colour=OURS)
    figure.suptitle("Stages of a forwarded GET, % of the plain proxy's call")


def footprint(figure: Figure, found: Mapping[str, Any]) -> None:
    """Draw the memory of idle sidecars."""
    [axes] = _row_of(figure, 1)
    parts = {name: [one["alone"] for one in starts] for name, starts in found.items()}
    bars(axes, parts, "{:.0f}", colour=OURS)
    figure.suptitle("Idle memory, MB, as alone on a machine")


def sizes(figure: Figure, found: Mapping[str, Any]) -> None:
    """Draw what a request costs with ever more users."""
    [axes] = _row_of(figure, 1)

    for name, by_size in found.items():
        counts = sorted(by_size, key=int)
        axes.plot(
            [int(one) for one in counts],
            [median(by_size[one]) for one in counts],
            marker="o",
            label=name.replace("`", ""),
        )

    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("users in the directory")
    axes.legend(frameon=False)
    figure.suptitle("CPU per request, µs, SQLite")


def tokens(figure: Figure, found: Mapping[str, Any]) -> None:
    """Draw the CPU of tokens and checks."""
    [axes] = _row_of(figure, 1)
    bars(axes, {name.replace("`", ""): times for name, times in found.items()}, "{:.0f}")
    axes.set_xscale("log")
    figure.suptitle("CPU per token or check, µs")


#: Each plot: which result it is of, and how large it is, in inches.
PLOTS: dict[str, tuple[str, Callable[[Figure, Mapping[str, Any]], None], tuple[float, float]]] = {
    "peers": ("peers", peers, (11, 2.8)),
    "peers-latency": ("peers", latency, (11, 3)),
    "peers-bodies": ("peers", bodies, (9, 2.8)),
    "stages": ("stages", stages, (8, 4)),
    "footprint": ("footprint", footprint, (8, 2.4)),
    "sizes": ("sizes", sizes, (8, 3.6)),
    "tokens": ("tokens", tokens, (9, 4.4)),
}


def bars(
    axes: Axes,
    values: Mapping[str, Sequence[float]],
    form: str,
    colour: str = "",
    alpha: float = 1.0,
) -> None:
    """Draw the median of each, from the top down, and from the least to the most round."""
    names = list(values)
    middles = [median(values[name]) for name in names]
    colours = [colour or COLOURS.get(name, OTHERS) for name in names]
    axes.barh(names, middles, color=colours, alpha=alpha)

    if form:
        reach = [
            [middle - min(values[name]) for name, middle in zip(names, middles, strict=True)],
            [max(values[name]) - middle for name, middle in zip(names, middles, strict=True)],
        ]
        axes.errorbar(middles, names, xerr=reach, fmt="none", ecolor="#24292f", lw=0.8)

        for name, middle in zip(names, middles, strict=True):
            place = (max(values[name]), name)
            axes.annotate(
                form.format(middle), place, (4, 0), textcoords="offset points", va="center"
            )

        axes.margins(x=0.18)

    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def _row_of(figure: Figure, count: int) -> Sequence[Axes]:
    found: Sequence[Axes] = figure.subplots(1, count, sharey=True, squeeze=False)[0]

    for axes in found:
        axes.spines[["top", "right"]].set_visible(False)

    return found


def main() -> None:
    """Draw every plot whose result is there."""
    try:
        import matplotlib
    except ImportError:
        sys.exit("matplotlib is not here: pip install -e '.[bench]'")

    matplotlib.use("svg")
    # The same results make the same file.
    matplotlib.rcParams |= {"svg.hashsalt": "chatproxy", "svg.fonttype": "none", "font.size": 9}
    from matplotlib.figure import Figure as New

    for name, (result, draw, inches) in PLOTS.items():
        path = RESULTS / f"{result}.json"

        if not path.exists():
            tell(f"{name} is left out: {path.name} is not there")
            continue

        figure = New(figsize=inches, layout="constrained", facecolor="white")
        draw(figure, json.loads(path.read_text())["found"])
        figure.savefig(RESULTS / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
