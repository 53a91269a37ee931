"""A real sidecar: gunicorn with the shipped settings, in a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
START_WITHIN = 30
GUNICORN = ("-m", "gunicorn", "-c", "python:chatproxy.gunicorn_conf", "wsgi:app")
PROBE = b"GET /-/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Sidecar:
    """Started by `with`; its output goes to a file, which outlives it."""

    #: A command that runs the server, such as one that gives it other mounts.
    run_by: tuple[str, ...] = ()
    command: tuple[str, ...] = GUNICORN
    folder: Path = ROOT

    def __init__(self, output: Path, environ: dict[str, str]) -> None:
        self.port = free_port()
        self.output = output
        self._read: list[dict[str, Any]] = []
        self.environ = bare_environ() | {"HTTP_PORT": str(self.port)} | environ
        self.port = int(self.environ["HTTP_PORT"])
        self.url = f"http://127.0.0.1:{self.port}"
        status = self.environ.get("STATUS_PORT")
        self.probed = ("127.0.0.1", self.port)

        if status:
            self.probed = (self.environ.get("STATUS_HOST") or "127.0.0.1", int(status))

    def __enter__(self) -> "Sidecar":
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.run_by, sys.executable, *self.command],
                cwd=self.folder,
                env=self.environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

        try:
            self._wait_until_it_serves()
        except BaseException:
            self.__exit__()
            raise

        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the log; a line that is no JSON object fails the test."""
        whole, _, half = self.output.read_text().rpartition("\n")

        # A reader may see a write that crosses a page of the file half done; a process that
        # has ended is in the middle of nothing.
        assert not half or self.process.poll() is None, f"the log ends within a line: {half}"
        texts = [line for line in whole.split("\n") if line]
        # Each is read once: tests that share a sidecar, and those that wait, ask again and again.
        read = self._read
        self._read = read + [json.loads(line) for line in texts[len(read) :]]
        return list(self._read)

    def completed(self, **wanted: Any) -> list[dict[str, Any]]:
        """The access lines, those with a given path or status only."""
        found = [line for line in self.lines() if line["msg"] == "request completed"]

        if "path" in wanted:
            found = [line for line in found if line["url"]["path"] == wanted["path"]]

        if "req_id" in wanted:
            found = [line for line in found if line["reqId"] == wanted["req_id"]]

        if "status" in wanted:
            found = [
                line for line in found if line["http"]["response"]["statusCode"] == wanted["status"]
            ]

        return found

    def wait_for_line(self, within: float = 5, **wanted: Any) -> dict[str, Any]:
        until = time.monotonic() + within

        while time.monotonic() < until:
            if found := self.completed(**wanted):
                return found[-1]

            time.sleep(0.05)

        raise AssertionError(f"no line {wanted} in {self.output.read_text()}")

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def _wait_until_it_serves(self) -> None:
        until = time.monotonic() + START_WITHIN

        while time.monotonic() < until:
            assert self.process.poll() is None, self.output.read_text()

            try:
                with socket.create_connection(self.probed, timeout=5) as probe:
                    probe.sendall(PROBE)

                    if probe.recv(15) == b"HTTP/1.1 200 OK":
                        return
            except OSError:
                time.sleep(0.05)

        raise AssertionError(f"not serving: {self.output.read_text()}")


def bare_environ() -> dict[str, str]:
    """The environment without any setting of the machine that runs the tests."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in keep if name in os.environ}
