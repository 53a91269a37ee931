"""A sidecar that relays sockets, and the Socket.IO server behind it."""

import dataclasses
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.calls import call
from tests.providers.imkit.conftest import Site
from tests.sidecar import bare_environ, free_port
from tests.test_sdks import NODE, SDKS


@dataclasses.dataclass
class SocketServer:
    """The server of `sdks/imkit_server.mjs`."""

    url: str
    control: int

    def seen(self) -> Any:
        return call(self.control, "GET", "/_seen").json

    def say(self, *event: Any) -> None:
        call(self.control, "POST", "/_say", body=event)

    def wait_until(self, holds: Callable[[Any], bool], within: float = 15) -> None:
        until = time.monotonic() + within

        while not holds(found := self.seen()):
            assert time.monotonic() < until, found
            time.sleep(0.05)


@contextmanager
def socket_server(**environ: str) -> Iterator[SocketServer]:
    """Start it."""
    with subprocess.Popen(
        [str(NODE), "imkit_server.mjs"],
        cwd=SDKS,
        env=bare_environ() | environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            port, control = map(int, process.stdout.readline().split())
            secure = "TLS_FILE" in environ
            url = f"https://localhost:{port}" if secure else f"http://127.0.0.1:{port}"
            yield SocketServer(url, control)
        finally:
            process.kill()


def door_of(site: Site) -> int:
    """The port of the client door."""
    return int(site.sidecar.environ["CLIENT_PORT"])


def relaying(url: str, **more: str) -> dict[str, str]:
    """The settings of a sidecar that relays to a server."""
    return {
        "IMKIT_BASE_URL": url,
        "IMKIT_SOCKET": "relay",
        "IMKIT_ROOT": "true",
        "CLIENT_PORT": str(free_port()),
        **more,
    }


def decoded(text: str) -> Any:
    """What is in a packet behind its digits."""
    return json.loads(text[text.index("[") :])
