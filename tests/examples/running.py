"""`make demo` as a person runs it, on ports of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from examples import demo
from tests.sidecar import ROOT, bare_environ

START_WITHIN = 150
END_WITHIN = 40


def free_ports() -> dict[str, str]:
    """Return a port for each of its servers, all of them different."""
    with ExitStack() as stack:
        listeners = {
            name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in demo.PORTS
        }
        return {name: str(one.getsockname()[1]) for name, one in listeners.items()}


class Demo:
    """Started by `with`; at the end Ctrl-C is pressed."""

    def __init__(self, output: Path, temporary: Path) -> None:
        self.ports = free_ports()
        self.output = output
        self.temporary = temporary

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[f'{name.upper()}_PORT']}"

    def __enter__(self) -> "Demo":
        environ = bare_environ() | self.ports | {"TMPDIR": str(self.temporary)}
        command = [sys.executable, "-m", "examples.demo"]

        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdout=output, stderr=output, start_new_session=True
            )

        until = time.monotonic() + START_WITHIN

        while "Ctrl-C ends all" not in self.output.read_text():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise AssertionError(self.output.read_text())

            time.sleep(0.1)

        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.press_ctrl_c()
            self.process.wait(END_WITHIN)
        finally:
            self.kill()

    def press_ctrl_c(self) -> None:
        """A terminal sends the signal to all processes of the group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        if self.is_alive():
            os.killpg(self.process.pid, signal.SIGKILL)

        self.process.wait()

    def is_alive(self) -> bool:
        """Say whether any process of the group is there."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False

        return True
