"""The sidecar beside other proxies, in one run: `python -m benchmarks.peers`.

A whole run writes `results/peers.md`. What the columns mean is in the README beside this folder.
"""

import argparse
import contextlib
import dataclasses
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.peers import tables
from benchmarks.peers.measures import BODIES, KINDS, Target, many, one_body
from benchmarks.peers.servers import Peer, missing_upstream, peers, upstream
from benchmarks.processes import Server, raise_descriptor_limit
from benchmarks.report import Found


@dataclasses.dataclass(frozen=True)
class Extent:
    """How much is measured: rounds of `seconds`, after a warm-up, and rounds of single bodies."""

    rounds: int
    seconds: float
    warm_up: float
    of_bodies: int
    megabytes: Collection[int]


WHOLE = Extent(5, 1.0, 1.0, 2, (100, 1000))
QUICK = Extent(3, 0.4, 0.3, 1, (100,))


def start(
    found: Sequence[Peer], folder: Path, behind: Server, stack: contextlib.ExitStack
) -> dict[str, Target]:
    """Start every peer that can be started; return where each is reached."""
    targets: dict[str, Target] = {}

    for peer in found:
        if peer.missing:
            report.tell(f"{peer.name} is left out: {peer.missing}")
        elif peer.start is None:
            targets[peer.name] = Target(behind.port)
        else:
            own = folder / peer.name
            own.mkdir()
            server = stack.enter_context(peer.start(own, behind.port))
            targets[peer.name] = Target(server.port, server)

    return targets


def in_turn(names: Sequence[str], number: int) -> Iterator[str]:
    """Yield every name, in an order that moves by one with each round."""
    shift = number % len(names)
    yield from [*names[shift:], *names[:shift]]


def measure(
    targets: dict[str, Target], extent: Extent, only: Collection[str], connections: Sequence[int]
) -> dict[str, Found]:
    """Measure all that is asked for, every peer in turn, again and again."""
    found: dict[str, Found] = {
        name: {"idle": [target.memory().alone / 1e6]} for name, target in targets.items()
    }

    for name, kind in KINDS.items():
        if name in only:
            numbers = [one for one in kind.connections if not connections or one in connections]
            _measure_kind(name, numbers, targets, extent, found)

    for name, target in targets.items():
        found[name]["loaded"] = [target.memory().alone / 1e6]

    if "bodies" in only:
        _measure_bodies(targets, extent, found)

    return found


def _measure_kind(
    kind: str,
    numbers: Sequence[int],
    targets: dict[str, Target],
    extent: Extent,
    found: dict[str, Found],
) -> None:
    request = KINDS[kind].request

    for target in targets.values():
        many(target, request, max(numbers, default=1), extent.warm_up)

    for number in range(extent.rounds):
        for connections in numbers:
            for name in in_turn(list(targets), number):
                seen = many(targets[name], request, connections, extent.seconds)
                found[name].setdefault(f"{kind}-{connections}", []).append(seen)
                told = f"round {number + 1}, {kind} × {connections}, {name}"
                report.tell(f"{told}: {seen['cpu']:.0f} µs, {seen['rate']:.0f} a second")


def _measure_bodies(targets: dict[str, Target], extent: Extent, found: dict[str, Found]) -> None:
    bodies = {key: body for key, body in BODIES.items() if body[1] in extent.megabytes}

    for request, size in bodies.values():
        # The first to ask would else wait for the upstream's memory.
        one_body(next(iter(targets.values())), request, size)

    for number in range(extent.of_bodies):
        for key, (request, size) in bodies.items():
            for name in in_turn(list(targets), number):
                seen = one_body(targets[name], request, size)
                found[name].setdefault(key, []).append(seen)
                report.tell(f"round {number + 1}, {key}, {name}: {seen['speed']:.0f} MB/s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    every = (*KINDS, "bodies")
    parser.add_argument("--quick", action="store_true", help="a run of three minutes")
    parser.add_argument("--only", nargs="+", choices=every, default=every, help="what is asked")
    parser.add_argument("--connections", nargs="+", type=int, default=[], help="how many")
    parser.add_argument("--peers", nargs="+", default=[], help="which peers, by their names")
    parser.add_argument("--before", type=Path, help="another checkout, as one more peer")
    parser.add_argument("--write", action="store_true", help="write the result of any run")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each measurement")
    return parser.parse_args()


def main() -> None:
    """Measure, print the tables, and write them where the run was whole."""
    options = _options()
    extent = QUICK if options.quick else WHOLE

    if options.rounds:
        fewer = min(options.rounds, extent.of_bodies)
        extent = dataclasses.replace(extent, rounds=options.rounds, of_bodies=fewer)

    raise_descriptor_limit()

    if missing := missing_upstream():
        sys.exit(missing)

    head = report.heading("Beside other proxies", f"`python -m benchmarks.peers{_told(options)}`")

    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        all_peers = peers(folder, options.before)
        chosen = [one for one in all_peers if not options.peers or one.name in options.peers]
        behind = stack.enter_context(upstream(folder))
        targets = start(chosen, folder, behind, stack)
        found = measure(targets, extent, options.only, options.connections)

    parts = [tables.of_peers(chosen), *tables.every(found)]
    is_whole = not (options.quick or options.connections or options.peers or options.rounds)
    is_whole = is_whole and len(options.only) == len(KINDS) + 1

    is_whole = is_whole or options.write
    report.finish("peers", head, report.MEDIANS, *parts, whole=is_whole, found=found)


def _told(options: argparse.Namespace) -> str:
    # The folder is nobody else's concern.
    words = ("…" if one == str(options.before) else one for one in sys.argv[1:])
    return "".join(f" {one}" for one in words)


if __name__ == "__main__":
    main()
