"""What each stage of a forwarded GET costs: `python -m benchmarks.stages`.

One connection asks a worker whose stages are timed (`benchmarks.staged`), thousands of times; in
turn with it, the plain proxy and the sidecar as shipped are asked, so that each stage is known as a
part of the plain proxy's call. Writes `results/stages.md`.
"""

import contextlib
import functools
import importlib
import mmap
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import report
from benchmarks.processes import (
    APP,
    KEPT,
    TICKS,
    Server,
    cpu_nanoseconds,
    cpu_per_request,
    kernel_ticks,
    plain_proxy,
    sidecar,
    upstream,
)
from benchmarks.report import Found, listed, table
from benchmarks.request import Request

#: The functions whose time is a stage's, without that of other stages within it. What is renamed is
#: missed by `resolved`, and what is no longer called by `_check_called`.
STAGES: dict[str, tuple[str, ...]] = {
    "the request's head": ("gunicorn.http.parser:Parser.__next__",),
    "environ": ("chatproxy.server.environ:Environs.create",),
    "request log": (
        "chatproxy.web.request_log:RequestLog.__call__",
        "chatproxy.web.request_log:_Stream.__next__",
        "chatproxy.web.request_log:_Stream.close",
    ),
    "Flask's dispatch": ("flask:Flask.wsgi_app",),
    "view": ("chatproxy.web.relay:relay",),
    "forward": ("chatproxy.forwarding:forward",),
    "exchange": (
        "chatproxy.forwarding.session:UpstreamAdapter.send",
        "chatproxy.forwarding.session:AnswerStream.__iter__",
    ),
    "answer": (
        "gunicorn.http.wsgi:Response.start_response",
        "chatproxy.server.response:Response.write",
        "chatproxy.server.response:Response.close",
    ),
    "log line": (
        "chatproxy.logs.access:write",
        "chatproxy.logs.handler:LineHandler._write_waiting",
    ),
    "metrics": (
        "chatproxy.metrics.requests:count",
        "chatproxy.metrics.upstreams:UpstreamCounts.answered",
    ),
    "sockets": (
        "gevent._socket3:socket.recv",
        "gevent._socket3:socket.recv_into",
        "gevent._socket3:socket.send",
        "gevent._socket3:socket.sendall",
    ),
    "event loop": ("gevent._socket3:socket._wait",),
}
#: What each may cost, in hundredths of the plain proxy's call. docs/performance.md has the same.
BUDGET = {
    "the request's head": 2.5,
    "environ": 1.0,
    "request log": 4.0,
    "Flask's dispatch": 5.5,
    "view": 2.5,
    "forward": 2.0,
    "exchange": 6.0,
    "answer": 2.5,
    "log line": 4.0,
    "metrics": 1.0,
    "sockets": 6.0,
    "event loop": 3.0,
    "between": 4.0,
}
#: What the worker uses beside them: gunicorn's loop around the calls, and switches of greenlets.
BETWEEN = "between"
ALL, KERNEL = "all stages", "of all, in the kernel"

#: Nanoseconds and calls of each stage, and the nanoseconds that the timing of a call takes.
NUMBERS = 2 * len(STAGES) + 1

ROUNDS, GETS, WARM_UP = 7, 1500, 500
PATH = Request("/proxy/app")


def resolved(name: str) -> tuple[Any, str, Any]:
    """Return where a function stands, under which attribute, and itself; raise if it is gone."""
    module, _, path = name.partition(":")
    *owners, attribute = path.split(".")

    try:
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        return owner, attribute, getattr(owner, attribute)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"{name} is gone: benchmarks/stages.py names what is timed") from error


class Staged:
    """A sidecar whose stages are timed."""

    def __init__(self, folder: Path, upstream_port: int) -> None:
        path = folder / "stages"
        path.write_bytes(bytes(8 * NUMBERS))
        self.server = sidecar(folder, upstream_port, STAGES_FILE=str(path))
        self.server.command = [
            "benchmarks.staged:app" if part == APP else part for part in self.server.command
        ]

        with path.open("r+b") as file:
            self._cells = memoryview(mmap.mmap(file.fileno(), 8 * NUMBERS)).cast("q")

    def measure(self) -> Found:
        """Ask on one connection; return the microseconds of each stage for a request."""
        [worker] = self.server.workers()
        before, cpu, kernel = list(self._cells), cpu_nanoseconds(worker), kernel_ticks(worker)
        cpu_per_request(self.server, PATH, 1, GETS)
        in_kernel = (kernel_ticks(worker) - kernel) / TICKS / GETS * 1e6
        after, used = list(self._cells), cpu_nanoseconds(worker) - cpu
        spent = [(late - early) / GETS for early, late in zip(before, after, strict=True)]
        times, calls = spent[:-1:2], spent[1:-1:2]
        _check_called(dict(zip(STAGES, calls, strict=True)))
        found = dict(zip(STAGES, (one / 1000 for one in times), strict=True))
        timing = sum(calls) * self._cells[-1]
        found[BETWEEN] = (used / GETS - timing) / 1000 - sum(found.values())
        return found | {ALL: sum(found.values()), KERNEL: in_kernel}


def _check_called(calls: dict[str, float]) -> None:
    for stage, count in calls.items():
        if not count:
            raise RuntimeError(f"{stage}: none of {', '.join(STAGES[stage])} was called")


def measure(folder: Path, rounds: int) -> dict[str, list[Found]]:
    """Measure all in turn; return the stages' and the whole calls' microseconds of each round."""
    with contextlib.ExitStack() as stack:
        behind = stack.enter_context(upstream(folder))
        staged = Staged(folder, behind.port)
        options = (*KEPT, "--worker-class", "gthread", "--threads", "32")
        servers: dict[str, Server] = {
            "staged": staged.server,
            "shipped": sidecar(folder, behind.port),
            "plain": plain_proxy(folder, behind.port, *options),
        }

        for server in servers.values():
            stack.enter_context(server)
            cpu_per_request(server, PATH, 1, WARM_UP)

        found: dict[str, list[Found]] = {"stages": [], "whole": []}

        for _ in range(rounds):
            found["stages"].append(staged.measure())
            found["whole"].append(
                {
                    name: cpu_per_request(servers[name], PATH, 1, GETS)
                    for name in ("shipped", "plain")
                }
            )

    return found


def stages_table(found: dict[str, list[Found]]) -> str:
    """Return what each stage costs, and which part of the plain proxy's call that is."""
    plain = [one["plain"] for one in found["whole"]]
    names = (*STAGES, BETWEEN, ALL, KERNEL)
    rows = [_row(name, [one[name] for one in found["stages"]], plain) for name in names]
    rows.append(_row("as shipped", [one["shipped"] for one in found["whole"]], plain))
    rows.append(_row("the plain proxy", plain, plain))
    title = f"Stages of a forwarded GET, one connection, {GETS} requests a round"
    return table(title, "stage|CPU µs|% of the plain proxy's call|budget, %", rows)


def _row(name: str, times: list[float], plain: list[float]) -> list[str]:
    part = 100 * median(mine / its for mine, its in zip(times, plain, strict=True))
    allowed = f"{BUDGET[name]:.1f}" if name in BUDGET else ""
    return [name, listed(times, "{:.1f}"), f"{part:.1f}", allowed]


def main() -> None:
    """Measure, print the table and write it."""
    rounds, whole = report.asked("rounds", ROUNDS, "rounds of each measurement", __doc__)
    head = report.heading("Stages", f"`python -m benchmarks.stages`, {rounds} rounds")

    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), rounds)

    report.finish("stages", head, report.MEDIANS, stages_table(found), whole=whole, found=found)


if __name__ == "__main__":
    main()
