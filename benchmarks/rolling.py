"""Does anybody notice a rolling restart? `python -m benchmarks.rolling`.

A run as it is by default also writes `results/rolling.md`. What is modelled, and what the columns
mean, is in the README beside this.
"""

import argparse
import asyncio
import collections
import contextlib
import dataclasses
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks import report
from benchmarks.load import GIVE_UP, Streams
from benchmarks.processes import (
    Server,
    answers,
    raise_descriptor_limit,
    sidecar,
    upstream,
)
from benchmarks.report import Found, cells, table, verdict
from benchmarks.request import Failure, reason_of

RESTARTS = 20
RATE = 200
DRAIN = 5

#: Seconds between two probes of a replica, and between what they find and its effect: a kubelet
#: tells the API server, which tells each node's kube-proxy.
PROBE_EVERY = 0.5
LAG = (0.5, 2.0)

#: Seconds of load before a restart begins, and after it is over.
AROUND = 1.0

BODY = b'{"text": "' + 4000 * b"x" + b'"}'
REQUESTS = [
    b"GET /proxy/app HTTP/1.1\r\n%s\r\n",
    b"POST /proxy/channels HTTP/1.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n%%s\r\n%s" % (len(BODY), BODY),
    b"GET /proxy/wait/0.05 HTTP/1.1\r\n%s\r\n",
]


@dataclasses.dataclass
class Endpoints:
    """The replicas to which new connections go. Open connections stay where they are."""

    lag: tuple[float, float]
    ports: set[int] = dataclasses.field(default_factory=set)

    async def follow(self, port: int) -> None:
        """Probe a replica for ever; take it in and out, some time after that was seen."""
        while True:
            is_ready = await asyncio.to_thread(answers, port, "/-/ready")

            if is_ready != (port in self.ports):
                await asyncio.sleep(random.uniform(*self.lag))
                (self.ports.add if is_ready else self.ports.discard)(port)

            await asyncio.sleep(PROBE_EVERY)

    async def until(self, port: int, *, there: bool) -> None:
        """Wait until a replica is in, or out."""
        while (port in self.ports) != there:
            await asyncio.sleep(0.02)


class Callers:
    """Ask at fixed moments, whether or not earlier answers came, and nothing a second time.

    Every other request has a connection of its own, the rest go over kept ones.
    """

    def __init__(self, endpoints: Endpoints, rate: float) -> None:
        self._endpoints = endpoints
        self._rate = rate
        self._kept: list[Streams] = []
        self.begin()

    def begin(self) -> None:
        """Count anew."""
        self.asked = 0
        self.told = 0
        self.found_closed = 0
        self.times: list[float] = []
        self.failures: collections.Counter[str] = collections.Counter()

    async def ask(self) -> None:
        """Ask until cancelled."""
        started = time.monotonic()
        asking: set[asyncio.Task[None]] = set()

        with contextlib.suppress(asyncio.CancelledError):
            for count in range(2**62):
                planned = started + count / self._rate
                await asyncio.sleep(max(0.0, planned - time.monotonic()))
                one = asyncio.create_task(self._one(count, planned))
                asking.add(one)
                one.add_done_callback(asking.discard)

        await asyncio.gather(*asking)

        for _, writer in self._kept:
            writer.close()

            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _one(self, count: int, planned: float) -> None:
        self.asked += 1
        request = REQUESTS[count // 2 % len(REQUESTS)]

        try:
            async with asyncio.timeout(GIVE_UP):
                if count % 2:
                    await self._once(request)
                else:
                    await self._on_kept(request)
        except (OSError, EOFError, Failure) as error:
            self.failures[reason_of(error)] += 1
        else:
            self.times.append(time.monotonic() - planned)

    async def _once(self, request: bytes) -> None:
        streams = await self._connect()

        try:
            await _answer(streams, request % b"Host: localhost\r\nConnection: close\r\n")
        finally:
            streams[1].close()

    async def _on_kept(self, request: bytes) -> None:
        streams = self._open_one() or await self._connect()

        try:
            is_last = await _answer(streams, request % b"Host: localhost\r\n")
        except BaseException:
            streams[1].close()
            raise

        if is_last:
            self.told += 1
            streams[1].close()
        else:
            self._kept.insert(0, streams)

    def _open_one(self) -> Streams | None:
        # The one that was idle for longest, so that all are in use. As every client library does,
        # one that was closed meanwhile is passed over.
        while self._kept:
            streams = self._kept.pop()

            if not streams[0].at_eof():
                return streams

            self.found_closed += 1
            streams[1].close()

        return None

    async def _connect(self) -> Streams:
        while not self._endpoints.ports:
            await asyncio.sleep(0.01)  # until `GIVE_UP`

        return await asyncio.open_connection(
            "127.0.0.1", random.choice(sorted(self._endpoints.ports))
        )


async def _answer(streams: Streams, content: bytes) -> bool:
    """Ask; return whether the connection is for no further request."""
    reader, writer = streams
    writer.write(content)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()

    if head[9:12] != b"200":
        raise Failure(head[9:12].decode("latin-1"))

    length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return b"\r\nconnection: close\r\n" in head


async def restarted(
    folder: Path,
    restarts: int,
    rate: float,
    drain: int,
    lag: tuple[float, float] = LAG,
) -> AsyncIterator[Found]:
    """Replace both replicas again and again, one after the other; tell what callers saw."""
    endpoints = Endpoints(lag)
    callers = Callers(endpoints, rate)
    background: set[asyncio.Task[None]] = set()

    async with contextlib.AsyncExitStack() as stack:
        behind = await asyncio.to_thread(stack.enter_context, upstream(folder))

        async def start() -> tuple[Server, "asyncio.Task[None]"]:
            server = sidecar(folder, behind.port, DRAIN_SECONDS=str(drain))
            await asyncio.to_thread(stack.enter_context, server)
            following = asyncio.create_task(endpoints.follow(server.port))
            background.add(following)
            await endpoints.until(server.port, there=True)
            return server, following

        replicas = [await start() for _ in range(2)]
        asking = asyncio.create_task(callers.ask())

        for _ in range(restarts):
            callers.begin()
            began = time.monotonic()
            await asyncio.sleep(AROUND)
            codes = []

            for index, (server, following) in enumerate(replicas):
                server.process.send_signal(signal.SIGTERM)
                codes.append(await asyncio.to_thread(server.process.wait, 60))
                await endpoints.until(server.port, there=False)
                following.cancel()
                replicas[index] = await start()

            await asyncio.sleep(AROUND)
            yield _found(callers, time.monotonic() - began, codes)

        asking.cancel()
        await asyncio.wait([asking])

        for task in background:
            task.cancel()


def _found(callers: Callers, seconds: float, codes: list[int]) -> Found:
    failed = callers.failures.total()
    return {
        "asked": callers.asked,
        "rate": callers.asked / seconds,
        "failed": failed,
        "failures": dict(callers.failures),
        "told": callers.told,
        "found_closed": callers.found_closed,
        "p99": 1000 * report.percentile(sorted(callers.times), 0.99),
        "slowest": 1000 * max(callers.times, default=float("nan")),
        "seconds": seconds,
        "holds": not failed and codes == [0, 0],
    }


async def _all(restarts: int, rate: float, drain: int) -> list[Found]:
    found = []

    with tempfile.TemporaryDirectory() as name:
        async for one in restarted(Path(name), restarts, rate, drain):
            report.tell(str(one))
            found.append(one)

    return found


def _table(rounds: list[Found], rate: float, drain: int) -> str:
    row = [
        str(sum(one["asked"] for one in rounds)),
        str(sum(one["failed"] for one in rounds)),
        report.in_all(rounds, "failures"),
        *cells(rounds, rate=0, told=0, found_closed=0, p99=0, slowest=0, seconds=0),
        verdict(rounds),
    ]
    columns = (
        "requests|failed|failures by kind|requests a second|told to leave|found closed|"
        "p99 ms|slowest ms|seconds|nothing failed"
    )
    title = (
        f"Two replicas, one after the other, at {rate:g} requests a second, DRAIN_SECONDS={drain}"
    )
    return table(title, columns, [row])


def main() -> None:
    """Measure, print the table, and write it where the run was whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--restarts", type=int, default=RESTARTS, help="of both replicas")
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument("--drain", type=int, default=DRAIN, help="DRAIN_SECONDS")
    options = parser.parse_args()
    raise_descriptor_limit()
    command = f"`python -m benchmarks.rolling`, {options.restarts} rolling restarts"
    head = report.heading("Rolling restarts", command)
    rounds = asyncio.run(_all(options.restarts, options.rate, options.drain))
    whole = (options.restarts, options.rate, options.drain) == (RESTARTS, RATE, DRAIN)
    found = _table(rounds, options.rate, options.drain)
    report.finish("rolling", head, report.MEDIANS, found, whole=whole)


if __name__ == "__main__":
    main()
