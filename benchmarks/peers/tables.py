"""The tables of a run beside other proxies, from what each peer's rounds found."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from benchmarks.peers.measures import BODIES, KINDS
from benchmarks.peers.servers import Peer
from benchmarks.report import Found, cells, listed, ratios, table

PLAIN, DIRECT, GO = "plain", "direct", "Go"
NONE = ""


def of_peers(found: Sequence[Peer]) -> str:
    """Return the table of what was compared, and of what was left out and why."""
    rows = [[one.name, f"left out: {one.missing}" if one.missing else one.note] for one in found]
    return table("Peers", "peer|how it runs", rows)


def every(found: Mapping[str, Found]) -> Iterator[str]:
    """Yield a table for each kind of request and number of connections that was measured."""
    measured = {key for one in found.values() for key in one}

    for name, kind in KINDS.items():
        for connections in kind.connections:
            if (key := f"{name}-{connections}") in measured:
                word = "connection" if connections == 1 else "connections"
                yield of_requests(f"{kind.title}, {connections} {word}", found, key)

    for key, (_, size) in BODIES.items():
        if key in measured:
            way = "GET" if key.startswith("down") else "POST"
            yield of_bodies(f"{way} of {size:,} MB, one connection", found, key)

    yield of_memory(found)


def of_requests(title: str, found: Mapping[str, Found], key: str) -> str:
    """Return what a request cost and how long it took, by peer."""
    rows = []

    for name, one in found.items():
        rounds = one[key]
        rows.append(
            [
                name,
                *([NONE] if name == DIRECT else cells(rounds, cpu=0)),
                _ratio(found, name, PLAIN, key, "cpu"),
                *cells(rounds, rate=0, p50=2, p99=2),
                _added(found, name, key),
            ]
        )

    columns = "peer|CPU µs|of plain|requests a second|p50 ms|p99 ms|p50 more than direct, ms"
    return table(title, columns, rows)


def of_bodies(title: str, found: Mapping[str, Found], key: str) -> str:
    """Return how fast one body was, by peer."""
    rows = [
        [
            name,
            *cells(one[key], speed=0),
            _ratio(found, name, GO, key, "speed"),
            *([NONE, NONE] if name == DIRECT else cells(one[key], cpu=0, growth=1)),
        ]
        for name, one in found.items()
    ]
    return table(title, "peer|MB/s|of Go's|CPU µs a MB|memory grew by MB", rows)


def of_memory(found: Mapping[str, Found]) -> str:
    """Return what each peer holds, alone on a machine."""
    rows = [
        [name, *(f"{median(one[when]):.1f}" for when in ("idle", "loaded"))]
        for name, one in found.items()
        if name != DIRECT
    ]
    return table("Memory", "peer|idle MB|after the requests MB", rows)


def _ratio(found: Mapping[str, Found], name: str, peer: str, key: str, figure: str) -> str:
    if peer not in found or DIRECT in (name, peer):
        return NONE

    mine, its = ([one[figure] for one in found[who][key]] for who in (name, peer))
    return ratios(mine, its)


def _added(found: Mapping[str, Found], name: str, key: str) -> str:
    if DIRECT not in found or name == DIRECT:
        return NONE

    pairs = zip(found[name][key], found[DIRECT][key], strict=True)
    return listed([one["p50"] - direct["p50"] for one, direct in pairs], "{:.2f}")
