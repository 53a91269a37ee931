"""What is asked of each peer, and what is noted of it."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from benchmarks import report
from benchmarks.peers.servers import APP, CHUNKED, KEY, LARGE, TAKEN, TOKEN
from benchmarks.processes import Memory, Server, callers
from benchmarks.request import Request

CONNECTIONS = (1, 16, 64)
#: So many bodies of 10 MB on their way at once are as much as says anything.
LARGE_CONNECTIONS = (1, 16)

MEGABYTE = 1_000_000
SAMPLED_EVERY = 0.2


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of request, and with how many connections it is made."""

    title: str
    request: Request
    connections: tuple[int, ...] = CONNECTIONS


KINDS = {
    "get": Kind("GET, answer of 200 B", Request(APP)),
    "post": Kind("POST of 1 KB", Request(TAKEN, "POST", body="x" * 1000)),
    "chunked": Kind("GET, answer of 200 B in chunks", Request(CHUNKED)),
    "down": Kind("GET, answer of 10 MB", Request("/10"), LARGE_CONNECTIONS),
    "up": Kind("POST of 10 MB", Request(LARGE, "POST", zeros=10 * MEGABYTE), LARGE_CONNECTIONS),
}
#: One body, by its megabytes and where it goes.
BODIES = {
    f"{where}-{size}": (request, size)
    for size in (100, 1000)
    for where, request in (
        ("down", Request(f"/{size}")),
        ("up", Request(LARGE, "POST", zeros=size * MEGABYTE)),
    )
}


@dataclasses.dataclass
class Target:
    """Where a peer is reached. Without a server it is the upstream itself."""

    port: int
    server: Server | None = None

    def of(self, request: Request) -> Request:
        """Return the request as this peer has to be asked."""
        if self.server is not None:
            return dataclasses.replace(request, path=f"/proxy{request.path}")

        credentials = (f"Authorization: {TOKEN}", "Stream-Auth-Type: jwt")
        path = f"{request.path}?api_key={KEY}"
        return dataclasses.replace(request, path=path, fields=credentials)

    def cpu_seconds(self) -> float:
        """Return the CPU time of all its processes."""
        return self.server.cpu_seconds() if self.server is not None else 0.0

    def memory(self) -> Memory:
        """Return the memory of all its processes."""
        return self.server.memory() if self.server is not None else Memory()


def many(target: Target, request: Request, connections: int, seconds: float) -> dict[str, Any]:
    """Ask for so many seconds; return what a request cost and how long it took."""
    before = target.cpu_seconds()
    asking = callers("load", "timed", target.port, target.of(request), connections, seconds)
    seen = _whole(json.loads(asking.communicate()[0]))
    used = target.cpu_seconds() - before
    return {
        "cpu": used / seen["requests"] * 1e6,
        "rate": seen["requests"] / seen["seconds"],
        "p50": report.percentile(seen["times"], 0.50) * 1000,
        "p99": report.percentile(seen["times"], 0.99) * 1000,
    }


def one_body(target: Target, request: Request, megabytes: int) -> dict[str, Any]:
    """Move one body; return its speed, and by how much memory grew meanwhile."""
    idle, used = target.memory(), target.cpu_seconds()
    asking = callers("load", "closed", target.port, target.of(request), 1, 1)
    most = max((memory.alone for memory in _watched(target, asking)), default=idle.alone)
    seen = _whole(json.loads(asking.communicate()[0]))
    return {
        "speed": megabytes / seen["seconds"],
        "cpu": (target.cpu_seconds() - used) / megabytes * 1e6,
        "growth": max(0, most - idle.alone) / MEGABYTE,
    }


def _watched(target: Target, asking: Any) -> Iterator[Memory]:
    while asking.poll() is None:
        yield target.memory()

        with contextlib.suppress(Exception):
            asking.wait(SAMPLED_EVERY)

    yield target.memory()


def _whole(seen: dict[str, Any]) -> dict[str, Any]:
    # Anything but success makes the figures worthless.
    if seen["failed"] or not seen["times"]:
        raise RuntimeError(f"{seen['failures']} of {seen['requests']} requests")

    return seen
