"""The callers, in a process of their own. Each kind prints what it saw as one JSON object.

    python -m benchmarks.load closed PORT REQUEST CONNECTIONS REQUESTS
    python -m benchmarks.load timed  PORT REQUEST CONNECTIONS SECONDS
    python -m benchmarks.load steady PORT REQUEST RATE SECONDS
    python -m benchmarks.load burst  PORT REQUEST REQUESTS
    python -m benchmarks.load noting PORT REQUEST CONNECTIONS

REQUEST is a path that is asked for with GET, or the fields of `Request` as JSON. An answer
counts as one only if its status is 200 or 201 and all its bytes came.
"""

import asyncio
import collections
import contextlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from benchmarks.closed import closed, timed
from benchmarks.processes import raise_descriptor_limit
from benchmarks.request import DONE, Failure, Request, reason_of

#: Seconds after which a request has failed.
GIVE_UP = 10.0

#: What `noting` writes when it knows what became of its first request.
BEGUN = "begun"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Outcome:
    """What became of the requests: the seconds that answers took, and why others failed."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.failures: collections.Counter[str] = collections.Counter()

    @contextlib.contextmanager
    def of_one(self, since: float) -> Iterator[None]:
        """Note what becomes of one request."""
        try:
            yield
        except (OSError, EOFError, Failure) as error:
            self.failures[reason_of(error)] += 1
        else:
            self.times.append(time.monotonic() - since)

    def told(self) -> dict[str, Any]:
        """Return it as it is printed."""
        return {
            "times": sorted(self.times),
            "failed": self.failures.total(),
            "failures": self.failures,
        }


async def steady(port: int, request: Request, rate: float, seconds: float) -> dict[str, Any]:
    """Ask at fixed moments, whether or not earlier answers came.

    Every other request has a connection of its own, the rest go over kept ones. Times
    count from the planned moment, so a wait for a connection is in them.
    """
    started = time.monotonic()
    outcome = Outcome()
    kept: list[Streams] = []

    async def one(count: int) -> None:
        planned = started + count / rate
        await asyncio.sleep(max(0.0, planned - time.monotonic()))

        with outcome.of_one(planned):
            async with asyncio.timeout(GIVE_UP):
                if count % 2:
                    await _ask_once(port, request, count)
                else:
                    await _ask_on_kept(port, request, count, kept)

    await asyncio.gather(*(one(count) for count in range(int(rate * seconds))))
    return outcome.told()


async def burst(port: int, request: Request, requests: int) -> dict[str, Any]:
    """Ask all at once, each on a connection of its own."""
    started = time.monotonic()
    outcome = Outcome()

    async def one(count: int) -> None:
        with outcome.of_one(started):
            async with asyncio.timeout(3 * GIVE_UP):
                await _ask_once(port, request, count)

    await asyncio.gather(*(one(count) for count in range(requests)))
    return outcome.told()


async def noting(port: int, request: Request, connections: int) -> dict[str, Any]:
    """Ask without pause on kept connections until a line comes; tell each answer's moments.

    `answered` lists the number, the moment of asking and that of the answer, on the
    machine's monotonic clock.
    """
    told = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, told.set)
    counts = itertools.count()
    outcome = Outcome()
    answered: list[tuple[int, float, float]] = []

    async def caller() -> None:
        kept: list[Streams] = []

        while not told.is_set():
            count, sent = next(counts), time.monotonic()

            with outcome.of_one(sent):
                async with asyncio.timeout(GIVE_UP):
                    await _ask_on_kept(port, request, count, kept)

                answered.append((count, sent, time.monotonic()))

            if count == 0:
                print(BEGUN, flush=True)

        for _, writer in kept:
            writer.close()

    await asyncio.gather(*(caller() for _ in range(connections)))
    return {"answered": answered, "failures": outcome.failures}


async def _ask_once(port: int, request: Request, count: int) -> None:
    streams = await _connect(port)

    try:
        await _ask(streams, request.to_bytes(count, "Connection: close"))
    finally:
        streams[1].close()


async def _ask_on_kept(port: int, request: Request, count: int, kept: list[Streams]) -> None:
    streams = kept.pop() if kept else await _connect(port)

    try:
        await _ask(streams, request.to_bytes(count))
    except BaseException:
        streams[1].close()
        raise

    kept.append(streams)


async def _ask(streams: Streams, content: bytes) -> None:
    reader, writer = streams
    writer.write(content)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = head[9:12]

    if not head.startswith(b"http/1.1 ") or status not in DONE:
        raise Failure(status.decode("latin-1"))

    _, found, rest = head.partition(b"\r\ncontent-length:")

    if not found:
        raise Failure("an answer without length")

    await reader.readexactly(int(rest.partition(b"\r\n")[0]))


async def _connect(port: int) -> Streams:
    return await asyncio.open_connection("127.0.0.1", port)


Kind = Callable[..., Coroutine[Any, Any, dict[str, Any]] | dict[str, Any]]
KINDS: dict[str, tuple[Kind, tuple[Callable[[str], Any], ...]]] = {
    "closed": (closed, (int, Request.read, int, int)),
    "timed": (timed, (int, Request.read, int, float)),
    "steady": (steady, (int, Request.read, float, float)),
    "burst": (burst, (int, Request.read, int)),
    "noting": (noting, (int, Request.read, int)),
}


def main() -> None:
    """Run the kind of load that the command line names."""
    raise_descriptor_limit()
    kind, kinds_of = KINDS[sys.argv[1]]
    arguments = [of(text) for of, text in zip(kinds_of, sys.argv[2:], strict=True)]

    seen = kind(*arguments)
    print(json.dumps(seen if isinstance(seen, dict) else asyncio.run(seen)))


if __name__ == "__main__":
    main()
