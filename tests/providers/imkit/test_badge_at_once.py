"""Many who set the badges of one client at once, while others read them."""

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.databases import KINDS
from tests.providers.imkit.conftest import Site

SOURCES = ("badge", "imkit", "orders", "tickets", "visits")
WRITERS = 20
TIMES = 5
PATIENCE = 20


def patiently(ask: Callable[[], Any]) -> Any:
    """Ask again where the directory is busy, as the answer says; return what it answers."""
    until = time.monotonic() + PATIENCE

    while (reply := ask()).status == 503 and time.monotonic() < until:
        assert reply.header("Retry-After") == "1"
        time.sleep(0.1)

    assert reply.status == 200, reply.json
    return reply.json


def check_sum(found: dict[str, Any]) -> None:
    counts = {name: value for name, value in found.items() if name not in ("clientId", "total")}
    assert found["total"] == sum(counts.values()), found
    assert {"badge", "imkit"} <= counts.keys() <= set(SOURCES)


def write(site: Site, writer: tuple[str, int]) -> int:
    """Set one source again and again; return what was set last."""
    source, number = writer

    for round_ in range(TIMES):
        count = 1000 * number + round_
        body = {"source": source, "count": count}
        found = patiently(lambda body=body: site.bare("POST", "/badge/alice", body=body))
        check_sum(found)

    return count


def read(site: Site, path: str, over: threading.Event) -> int:
    """Read until all is written; return how many different totals were seen."""
    seen = set()

    while not over.is_set():
        found = patiently(lambda: site.bare("GET", path))

        for one in found if isinstance(found, list) else [found]:
            check_sum(one)
            seen.add(one["total"])

    return len(seen)


@pytest.mark.parametrize("kind", KINDS)
def test_the_total_is_the_sum_at_every_moment(imkit_before: Callable[..., Any], kind: str) -> None:
    """Five sources, each set by 20 writers at once, over two processes."""
    writers = list(itertools.product(SOURCES, range(1, WRITERS + 1)))
    over = threading.Event()

    with (
        imkit_before(kind, WORKERS="2") as site,
        ThreadPoolExecutor(len(writers) + 3) as pool,
    ):
        paths = ("/badge/alice", "/badge?clientId=alice", "/badge")
        readers = [pool.submit(read, site, path, over) for path in paths]

        try:
            last = list(pool.map(lambda writer: write(site, writer), writers))
        finally:
            over.set()

        totals_seen = [reader.result() for reader in readers]
        found = site.bare("GET", "/badge/alice").json

    check_sum(found)
    assert set(found) == {"clientId", "total", *SOURCES}
    assert min(totals_seen) > 1, "a reader saw nothing of it"

    for source in SOURCES:
        assert found[source] in {
            count for writer, count in zip(writers, last, strict=True) if writer[0] == source
        }
