"""The processes that are measured: how each is started, and what the kernel says of it."""

import dataclasses
import json
import os
import platform
import resource
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent
READY_WITHIN = 30.0
TICKS = os.sysconf("SC_CLK_TCK")

#: Credentials of no account; long enough that the sidecar does not warn.
API_KEY = "benchmarkkey"
API_SECRET = "benchmark-secret-of-no-account-at-all-0001"

GUNICORN = [sys.executable, "-m", "gunicorn"]

APP = "wsgi:app"
SIDECAR = [*GUNICORN, "-c", "python:chatproxy.gunicorn_conf", APP]

#: A port that nobody listens on, where no upstream is asked.
NOBODY = 9

#: Options with which gunicorn keeps connections as long as the sidecar does.
KEPT = ("--keep-alive", "75")


@dataclasses.dataclass(frozen=True)
class Memory:
    """Bytes that some processes hold together.

    `pss` is the sum of their proportional shares, `private` what no other process shares.
    `alone` is what `pss` would be if no other process of the machine mapped the same files.
    """

    pss: int = 0
    private: int = 0
    alone: int = 0


class Server:
    """A server in a process of its own, with its children; started by `with`."""

    def __init__(
        self,
        command: list[str],
        port: int,
        output: Path,
        environ: dict[str, str],
        probe: str,
        status: int = 200,
    ) -> None:
        self.command = command
        self.port = port
        self.output = output
        self.environ = _bare_environ() | environ
        self.probe = probe
        self.status = status
        self.folder = ROOT
        self.seconds_to_ready = 0.0

    def __enter__(self) -> Self:
        started = time.monotonic()

        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

        self._wait_until_ready(started)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()

        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def pids(self) -> list[int]:
        """Return the first process and its children: master and workers."""
        first = self.process.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text()
        return [first, *(int(pid) for pid in children.split())]

    def workers(self) -> list[int]:
        """Return the children alone."""
        return self.pids()[1:]

    def cpu_seconds(self) -> float:
        """Return the CPU time that all its processes have used."""
        return sum(cpu_ticks(pid) for pid in self.pids()) / TICKS

    def memory(self) -> Memory:
        """Return the memory of all its processes."""
        return memory_of(self.pids())

    def _wait_until_ready(self, started: float) -> None:
        until = started + READY_WITHIN

        while time.monotonic() < until:
            if self.process.poll() is not None:
                break

            if answers(self.port, self.probe, self.status):
                self.seconds_to_ready = time.monotonic() - started
                return

            time.sleep(0.005)

        self.process.kill()
        raise RuntimeError(f"{self.command} does not serve: {self.output.read_text()}")


def upstream(folder: Path) -> Server:
    """Return the cheap upstream, which answers the same to everything."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.upstream", str(port)]
    return Server(command, port, folder / f"upstream-{port}.log", {}, "/")


def stand_in(folder: Path) -> Server:
    """Return the strict stand-in."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.standin", str(port)]
    # It refuses whoever brings no credentials, and by that says that it is there.
    return Server(command, port, folder / f"standin-{port}.log", {}, "/", 401)


def sidecar(folder: Path, upstream_port: int, **settings: str) -> Server:
    """Return the sidecar as shipped but for `settings`; its log goes to a file."""
    port = free_port()
    environ = {
        "HTTP_PORT": str(port),
        "STREAM_API_KEY": API_KEY,
        "STREAM_API_SECRET": API_SECRET,
        "STREAM_BASE_URL": f"http://127.0.0.1:{upstream_port}",
    }
    output = folder / f"sidecar-{port}.log"
    return Server(SIDECAR, port, output, environ | settings, "/-/ready")


def plain_proxy(folder: Path, upstream_port: int, *options: str, **environ: str) -> Server:
    """Return the plain proxy under gunicorn with the given options."""
    base = {"UPSTREAM": f"http://127.0.0.1:{upstream_port}"}
    return plain_app("plain_proxy", folder, "/proxy/ready", *options, **base, **environ)


def plain_app(name: str, folder: Path, probe: str, *options: str, **environ: str) -> Server:
    """Return one of the plain peers under gunicorn with the given options."""
    port = free_port()
    command = [*GUNICORN, "--bind", f"127.0.0.1:{port}", *options, f"benchmarks.{name}:app"]
    return Server(command, port, folder / f"{name}-{port}.log", environ, probe)


def callers(module: str, *arguments: object) -> subprocess.Popen[str]:
    """Start `python -m benchmarks.<module>` with pipes to and from it."""
    return subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def asked(kind: str, *arguments: object) -> dict[str, Any]:
    """Have callers of the kind ask to their end; return what they saw."""
    found: dict[str, Any] = json.loads(callers("load", kind, *arguments).communicate()[0])
    return found


def cpu_per_request(server: Server, request: object, connections: int, requests: int) -> float:
    """Load a server on kept connections; return the microseconds of CPU that a request took.

    Anything but success makes the figure worthless, so it raises `RuntimeError`.
    """
    before = server.cpu_seconds()
    outcome = asked("closed", server.port, request, connections, requests)

    if outcome["failed"]:
        raise RuntimeError(f"{server.command}: {outcome['failures']}")

    return (server.cpu_seconds() - before) / requests * 1e6


def answers(port: int, path: str, status: int = 200) -> bool:
    """Say whether a GET of the path is answered with that status."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(request.encode())
            return sock.recv(12) == f"HTTP/1.1 {status}".encode()
    except OSError:
        return False


def cpu_ticks(pid: int) -> int:
    """Return the CPU time of a process and of the children that it saw end, in 1/TICKS s."""
    return sum(_times_of(pid))


def kernel_ticks(pid: int) -> int:
    """Return the part of a process's own CPU time that it was in the kernel, in 1/TICKS s."""
    return _times_of(pid)[1]


def cpu_nanoseconds(pid: int) -> int:
    """Return the CPU time that a process's first thread has used, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def memory_of(pids: list[int]) -> Memory:
    """Read the memory of some processes that share with each other."""
    pss = private = anonymous = 0
    files: dict[tuple[str, str], int] = {}

    for pid in pids:
        [(_, whole)] = _mappings(pid, "smaps_rollup")
        pss += whole["Pss"]
        private += whole["Private_Clean"] + whole["Private_Dirty"]
        anonymous += whole["Pss_Anon"]

        for place, sizes in _mappings(pid, "smaps"):
            resident = sizes["Rss"] - sizes["Anonymous"]
            files[place] = max(files.get(place, 0), resident)

    return Memory(pss, private, anonymous + sum(files.values()))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def raise_descriptor_limit() -> None:
    """Allow this process, and those it starts, as many descriptors as they may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def machine(*further: str) -> str:
    """Say what was measured on, and with which versions."""
    parts = ("gunicorn", "gevent", "Flask", "requests", "urllib3", "h11", *further)
    versions = ", ".join(f"{name} {version(name)}" for name in parts)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, shared), "
        f"Python {platform.python_version()}, {versions}; "
        f"load average at the start {load_average()}"
    )


def load_average() -> str:
    """Return the machine's load over 1, 5 and 15 minutes."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def _times_of(pid: int) -> list[int]:
    # User and system time, and those of the children that ended. The name in the second field may
    # hold spaces; it ends with the last parenthesis.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(one) for one in fields[11:15]]


def _mappings(pid: int, name: str) -> list[tuple[tuple[str, str], dict[str, int]]]:
    """List a process's mappings: file and offset, and the sizes in bytes (proc(5))."""
    found: list[tuple[tuple[str, str], dict[str, int]]] = []

    for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
        first, *rest = line.split(maxsplit=5)

        if not first.endswith(":"):
            found.append(((rest[-1], rest[1]), {}))
        elif rest[-1] == "kB":
            found[-1][1][first[:-1]] = int(rest[0]) * 1024

    return found


def _bare_environ() -> dict[str, str]:
    """Return the environment without any setting of the machine."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in keep if name in os.environ}
