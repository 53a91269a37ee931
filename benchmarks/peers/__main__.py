"""The sidecar beside other proxies, in one run: `python -m benchmarks.peers`.

A whole run writes `results/peers.md`, `results/peers.json` and the plots. What the columns mean is
in the README beside this folder.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.peers import tables
from benchmarks.peers.measures import BODIES, KINDS, Target, many, one_body
from benchmarks.peers.servers import Peer, missing_upstream, peers, upstream
from benchmarks.processes import Server, raise_descriptor_limit
from benchmarks.report import Found

#: Rounds and seconds of each measurement, and rounds of single bodies: of a whole run, and a quick.
WHOLE = (5, 1.0, 2)
QUICK = (3, 0.4, 1)
WARM_UP = 0.3
LONGEST_BODY = 1000


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


def measure(targets: dict[str, Target], options: argparse.Namespace) -> dict[str, Found]:
    """Measure all that is asked for, every peer in turn, again and again."""
    found: dict[str, Found] = {name: {} for name in targets}
    rounds, seconds, of_bodies = QUICK if options.quick else WHOLE
    rounds = options.rounds or rounds
    names = list(targets)

    for name, target in targets.items():
        found[name]["idle"] = [target.memory().alone / 1e6]

    for chosen in options.only:
        if chosen in KINDS:
            _measure_kind(chosen, targets, found, rounds, seconds, options.connections)

    for name, target in targets.items():
        found[name]["loaded"] = [target.memory().alone / 1e6]

    bodies = {key: body for key, body in BODIES.items() if "bodies" in options.only}

    for number in range(of_bodies):
        for key, (request, size) in bodies.items():
            if options.quick and size == LONGEST_BODY:
                continue

            for name in in_turn(names, number):
                seen = one_body(targets[name], request, size)
                found[name].setdefault(key, []).append(seen)
                report.tell(f"round {number + 1}, {key}, {name}: {seen['speed']:.0f} MB/s")

    return found


def _measure_kind(
    chosen: str,
    targets: dict[str, Target],
    found: dict[str, Found],
    rounds: int,
    seconds: float,
    wanted: Sequence[int],
) -> None:
    kind = KINDS[chosen]

    for target in targets.values():
        many(target, kind.request, max(kind.connections), WARM_UP)

    for number in range(rounds):
        for connections in kind.connections:
            if wanted and connections not in wanted:
                continue

            for name in in_turn(list(targets), number):
                seen = many(targets[name], kind.request, connections, seconds)
                found[name].setdefault(f"{chosen}-{connections}", []).append(seen)
                told = f"round {number + 1}, {chosen} × {connections}, {name}"
                report.tell(f"{told}: {seen['cpu']:.0f} µs, {seen['rate']:.0f} a second")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    every = (*KINDS, "bodies")
    parser.add_argument("--quick", action="store_true", help="a run of three minutes")
    parser.add_argument("--only", nargs="+", choices=every, default=every, help="what is asked")
    parser.add_argument("--connections", nargs="+", type=int, default=[], help="how many")
    parser.add_argument("--peers", nargs="+", default=[], help="which peers, by their names")
    parser.add_argument("--before", type=Path, help="another checkout, as one more peer")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each measurement")
    return parser.parse_args()


def main() -> None:
    """Measure, print the tables, and write them where the run was whole."""
    options = _options()
    raise_descriptor_limit()

    if missing := missing_upstream():
        sys.exit(missing)

    head = report.heading("Beside other proxies", f"`python -m benchmarks.peers{_told(options)}`")

    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        all_peers = peers(folder, options.before)
        chosen = [one for one in all_peers if not options.peers or one.name in options.peers]
        behind = stack.enter_context(upstream(folder))
        found = measure(start(chosen, folder, behind, stack), options)

    parts = [tables.of_peers(chosen), *tables.every(found)]
    is_whole = not (options.quick or options.connections or options.peers or options.rounds)
    is_whole = is_whole and len(options.only) == len(KINDS) + 1

    if is_whole:
        raw = {"head": head, "found": found}
        (report.RESULTS / "peers.json").write_text(json.dumps(raw, indent=1) + "\n")

    report.finish("peers", head, report.MEDIANS, *parts, whole=is_whole)


def _told(options: argparse.Namespace) -> str:
    return " --quick" * options.quick + " --before …" * (options.before is not None)


if __name__ == "__main__":
    main()
