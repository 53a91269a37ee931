"""What counting costs: `python -m benchmarks.counting`.

The table is written to `benchmarks/results/counting.md`.
"""

import contextlib
import tempfile
import time
from pathlib import Path

from benchmarks import report
from benchmarks.processes import SIDECAR, Server, cpu_per_request, sidecar, upstream
from benchmarks.report import listed, table
from benchmarks.request import Request
from chatproxy.metrics import exposition, requests, series
from chatproxy.metrics import table as metrics
from chatproxy.metrics.segments import Segment
from chatproxy.metrics.upstreams import UpstreamCounts

TIMES = 100_000
ROUNDS, CONNECTIONS, GETS, WARM_UP = 9, 16, 3000, 500
PATH = "/proxy/app"

#: Routes, of which each is called by ten callers, with two methods and three classes of status.
ROUTES = (1, 10, 40)


def counted_alone() -> list[float]:
    """Measure all that is counted of a forwarded GET; return microseconds of CPU."""
    series.count_in(Segment())
    counts = UpstreamCounts("stream")
    found = []

    for _ in range(ROUNDS):
        began = time.process_time()

        for _ in range(TIMES):
            metrics.IN_FLIGHT.add(by=1)
            counts.idle(0)
            counts.reused()
            counts.answered(200, 0.012)
            counts.idle(1)
            metrics.IN_FLIGHT.add(by=-1)
            ended = requests.of("/proxy/<path>", "stream", "GET", 200, "web")
            requests.count(ended, first=0.012, last=0.013, received=0, sent=300)

        found.append((time.process_time() - began) / TIMES * 1e6)

    return found


def cpu_per_get(folder: Path) -> dict[str, list[float]]:
    """Measure CPU microseconds per forwarded GET with and without counting, in turn."""
    with contextlib.ExitStack() as stack:
        behind = stack.enter_context(upstream(folder))
        proxies = {
            name: stack.enter_context(_with_conf(sidecar(folder, behind.port), conf))
            for name, conf in (
                ("counting", "chatproxy.gunicorn_conf"),
                ("not counting", "benchmarks.uncounted_conf"),
            )
        }
        found: dict[str, list[float]] = {name: [] for name in proxies}

        for proxy in proxies.values():
            cpu_per_request(proxy, Request(PATH), CONNECTIONS, WARM_UP)

        for number in range(ROUNDS):
            names = list(proxies)

            for name in names if number % 2 else reversed(names):
                used = cpu_per_request(proxies[name], Request(PATH), CONNECTIONS, GETS)
                found[name].append(used)

    return found


def _with_conf(server: Server, conf: str) -> Server:
    server.command = [part.replace("chatproxy.gunicorn_conf", conf) for part in SIDECAR]
    return server


def scrapes() -> list[list[str]]:
    """Measure a scrape with ever more series."""
    rows = []

    for routes in ROUTES:
        segment = Segment()
        series.count_in(segment)

        for route in range(routes):
            for method in ("GET", "POST"):
                for status in (200, 404, 502):
                    for caller in range(10):
                        ended = requests.of(
                            f"/r{route}/<id>", "stream", method, status, f"c{caller}"
                        )
                        requests.count(ended, first=0.01, last=0.02, received=1, sent=1)

        found, lines = [], 0

        for _ in range(ROUNDS):
            began = time.process_time()
            content, _ = exposition.render("", draining=False)
            found.append((time.process_time() - began) * 1e3)
            lines = content.count(b"\n")

        rows.append([str(routes), str(lines), listed(found, "{:.1f}")])

    return rows


def main() -> None:
    """Measure, print the tables and write them."""
    text = report.heading("Counting", "`python -m benchmarks.counting`") + "\n" + report.MEDIANS
    alone = counted_alone()

    with tempfile.TemporaryDirectory() as name:
        found = cpu_per_get(Path(name))

    pairs = zip(found["counting"], found["not counting"], strict=True)
    rows = [[name, listed(times, "{:.0f}")] for name, times in found.items()]
    rows.append(["difference in a round", listed([a - b for a, b in pairs], "{:.0f}")])
    rows.append(["the counting by itself", listed(alone, "{:.1f}")])
    title = f"CPU per forwarded GET, {CONNECTIONS} connections, {GETS} requests"
    text += table(title, "sidecar|CPU µs per GET", rows)
    text += table("A scrape", "routes called|lines|CPU ms", scrapes())
    text += "\n" + report.ending()
    report.write("counting", text)
    print(text)


if __name__ == "__main__":
    main()
