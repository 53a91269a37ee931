"""The callers, in a process of their own. Each kind prints what it saw as one JSON object.

    python -m benchmarks.load closed PORT PATH CONNECTIONS REQUESTS
    python -m benchmarks.load steady PORT PATH RATE SECONDS
    python -m benchmarks.load burst  PORT PATH REQUESTS

An answer counts as one only if its status is 200 and all its bytes came.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.processes import raise_descriptor_limit

#: Seconds after which a request has failed.
GIVE_UP = 10.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Failure(Exception):
    """No complete answer with status 200 came."""


async def closed(port: int, path: str, connections: int, requests: int) -> dict[str, Any]:
    """Ask without pause on each of some kept connections, until all requests are made."""
    left = iter(range(requests))
    failures: list[str] = []

    async def caller() -> None:
        streams = await _connect(port)

        for _ in left:
            try:
                await _ask(streams, path)
            except (OSError, EOFError, Failure) as error:
                failures.append(repr(error))
                streams[1].close()
                streams = await _connect(port)

        streams[1].close()

    started = time.monotonic()
    await asyncio.gather(*(caller() for _ in range(connections)))
    return {
        "requests": requests,
        "failures": failures[:5],
        "failed": len(failures),
        "seconds": time.monotonic() - started,
    }


async def steady(port: int, path: str, rate: float, seconds: float) -> dict[str, Any]:
    """Ask at fixed moments, whether or not earlier answers came.

    Every other request has a connection of its own, the rest go over kept ones. Times
    count from the planned moment, so a wait for a connection is in them.
    """
    started = time.monotonic()
    times: list[float] = []
    failures: list[str] = []
    kept: list[Streams] = []

    async def one(number: int) -> None:
        planned = started + number / rate
        await asyncio.sleep(max(0.0, planned - time.monotonic()))

        try:
            async with asyncio.timeout(GIVE_UP):
                await (_ask_once(port, path) if number % 2 else _ask_on_kept(port, path, kept))
        except (OSError, EOFError, Failure) as error:
            failures.append(repr(error))
        else:
            times.append(time.monotonic() - planned)

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    return {"times": sorted(times), "failed": len(failures), "failures": failures[:5]}


async def burst(port: int, path: str, requests: int) -> dict[str, Any]:
    """Ask all at once, each on a connection of its own."""
    started = time.monotonic()
    times: list[float] = []
    failures: list[str] = []

    async def one() -> None:
        try:
            async with asyncio.timeout(3 * GIVE_UP):
                await _ask_once(port, path)
        except (OSError, EOFError, Failure) as error:
            failures.append(repr(error))
        else:
            times.append(time.monotonic() - started)

    await asyncio.gather(*(one() for _ in range(requests)))
    return {"times": sorted(times), "failed": len(failures), "failures": failures[:5]}


async def _ask_once(port: int, path: str) -> None:
    streams = await _connect(port)

    try:
        await _ask(streams, path, "Connection: close")
    finally:
        streams[1].close()


async def _ask_on_kept(port: int, path: str, kept: list[Streams]) -> None:
    streams = kept.pop() if kept else await _connect(port)

    try:
        await _ask(streams, path)
    except BaseException:
        streams[1].close()
        raise

    kept.append(streams)


async def _ask(streams: Streams, path: str, *lines: str) -> None:
    reader, writer = streams
    fields = ("Host: 127.0.0.1", "User-Agent: benchmark", "Accept: */*", *lines)
    writer.write("\r\n".join([f"GET {path} HTTP/1.1", *fields, "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()

    if not head.startswith(b"http/1.1 200 "):
        raise Failure(head.partition(b"\r\n")[0].decode())

    _, found, rest = head.partition(b"\r\ncontent-length:")

    if not found:
        raise Failure("an answer without length")

    await reader.readexactly(int(rest.partition(b"\r\n")[0]))


async def _connect(port: int) -> Streams:
    return await asyncio.open_connection("127.0.0.1", port)


KINDS: dict[str, tuple[Callable[..., Awaitable[dict[str, Any]]], tuple[Callable[[str], Any], ...]]]
KINDS = {
    "closed": (closed, (int, str, int, int)),
    "steady": (steady, (int, str, float, float)),
    "burst": (burst, (int, str, int)),
}


def main() -> None:
    """Run the kind of load that the command line names."""
    raise_descriptor_limit()
    kind, kinds_of = KINDS[sys.argv[1]]
    arguments = [of(text) for of, text in zip(kinds_of, sys.argv[2:], strict=True)]

    async def run() -> dict[str, Any]:
        return await kind(*arguments)

    print(json.dumps(asyncio.run(run())))


if __name__ == "__main__":
    main()
