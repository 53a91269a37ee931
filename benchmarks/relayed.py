"""What a relayed socket costs, and how soon it ends: `python -m benchmarks.relayed`.

The server is the Socket.IO server of the tests (`make sdks`). The table is written to
`benchmarks/results/relayed.md`.
"""

import contextlib
import http.client
import json
import selectors
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, cast

import websocket

from benchmarks import report
from benchmarks.processes import NOBODY, ROOT, Server, free_port, raise_descriptor_limit, sidecar
from tests.directories import make_key

SOCKETS = 500
MESSAGES = 1000
ROUNDS = 3
SETTLE = 3.0
QUERY = "EIO=4&transport=websocket"
SETTINGS = {
    "PROVIDERS": "stream,imkit",
    "KEY_SIGNING_SECRET": "benchmark-key-signing-secret-of-no-account",
    "IMKIT_API_KEY": "benchmark-platform-key-of-no-account",
    "IMKIT_CLIENT_KEY": "benchmark-client-key-of-no-account",
    "IMKIT_SOCKET": "relay",
}


@contextlib.contextmanager
def socket_server() -> Iterator[int]:
    """Start the server; return its port."""
    command = ["node", "imkit_server.mjs"]
    folder = ROOT / "tests" / "sdks"

    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None

        try:
            yield int(process.stdout.readline().split()[0])
        finally:
            process.kill()


class Platform:
    """The customer's server, which makes tokens and ends them."""

    def __init__(self, started: Server) -> None:
        self._port = started.port
        self._key = make_key(started.environ, "benchmark")["apiKey"]

    def token(self, client_id: str) -> str:
        """Make a client and its token."""
        body = {"_id": client_id, "issueAccessToken": True}
        return str(self._ask("POST", "", body)["result"]["token"])

    def revoke(self, client_id: str) -> None:
        """End all tokens of a client."""
        self._ask("DELETE", f"/{client_id}/token", {})

    def _ask(self, method: str, path: str, body: object) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        fields = {"IM-API-KEY": self._key, "Content-Type": "application/json"}
        connection.request(method, f"/imkit/admin/clients{path}", json.dumps(body), fields)

        with contextlib.closing(connection):
            return json.loads(connection.getresponse().read())


class Client:
    """One client, which has signed in."""

    def __init__(self, url: str, token: str) -> None:
        self.frames = websocket.create_connection(f"{url}/?{QUERY}", timeout=20)
        self.frames.recv()
        self.frames.send("40")
        self.frames.recv()
        self.ask("auth", token)

    def ask(self, *event: object) -> str:
        """Emit an event and wait for its acknowledgement."""
        self.frames.send(f"421{json.dumps(event)}")

        while not (heard := str(self.frames.recv())).startswith("431"):
            if heard == "2":
                self.frames.send("3")

        return heard

    def milliseconds(self) -> float:
        """Return the time for one message and its acknowledgement."""
        started = time.perf_counter()
        self.ask("echo", "a message of some length, as people send them")
        return (time.perf_counter() - started) * 1000


def added(direct: Client, relayed: Client) -> tuple[float, float]:
    """Return the medians of a message's time to the server and back, asked in turn."""
    times = [(direct.milliseconds(), relayed.milliseconds()) for _ in range(MESSAGES)]
    return median(one for one, _ in times), median(other for _, other in times)


def seconds_to_end(clients: list[Client]) -> float:
    """Wait until every socket has ended; return the seconds."""
    started = time.monotonic()

    with selectors.DefaultSelector() as waiting:
        for client in clients:
            waiting.register(cast(socket.socket, client.frames.sock), selectors.EVENT_READ)

        while waiting.get_map():
            for key, _ in waiting.select(timeout=20):
                # The goodbyes come before the end.
                sock = cast(socket.socket, key.fileobj)

                if not sock.recv(4096):
                    waiting.unregister(sock)

    return time.monotonic() - started


def measure(folder: Path, server_port: int, workers: int) -> dict[str, float]:
    """Measure one sidecar with so many workers."""
    settings = SETTINGS | {
        "DATABASE_URL": f"sqlite:///{folder}/{free_port()}.db",
        "IMKIT_BASE_URL": f"http://127.0.0.1:{server_port}",
        "WORKERS": str(workers),
    }

    with sidecar(folder, NOBODY, **settings) as started, contextlib.ExitStack() as sockets:
        platform, url = Platform(started), f"ws://127.0.0.1:{started.port}/imkit/socket.io"
        token = platform.token("alice")
        direct = Client(f"ws://127.0.0.1:{server_port}/socket.io", token)
        alone, through = added(direct, Client(url, token))
        time.sleep(SETTLE)
        before = started.memory()
        clients = [Client(url, token) for _ in range(SOCKETS)]

        for client in clients:
            sockets.callback(client.frames.shutdown)

        time.sleep(SETTLE)
        after = started.memory()
        platform.revoke("alice")
        return {
            "direct": alone,
            "relayed": through,
            "added": through - alone,
            "kilobytes": (after.pss - before.pss) / SOCKETS / 1000,
            "seconds": seconds_to_end(clients),
        }


def main() -> None:
    """Measure, print the table and write it."""
    raise_descriptor_limit()
    text = report.heading("Relayed sockets", "`python -m benchmarks.relayed`", "wsproto")
    text += (
        f"\nA small message and its acknowledgement, {MESSAGES} to the server directly and as many "
        f"through the sidecar, in turn; PSS of the whole sidecar before and with {SOCKETS} idle "
        "relayed sockets; seconds from the answer to the revocation of their token until the last "
        f"of the {SOCKETS} had ended. Clients, server and sidecar share the machine.\n"
    )

    with tempfile.TemporaryDirectory() as name, socket_server() as port:
        found = {
            f"{workers} worker{'s' * (workers > 1)}": [
                measure(Path(name), port, workers) for _ in range(ROUNDS)
            ]
            for workers in (1, 2)
        }

    rows = [
        [title, *report.cells(rounds, direct=2, relayed=2, added=2, kilobytes=0, seconds=2)]
        for title, rounds in found.items()
    ]
    columns = "sidecar|direct, ms p50|relayed, ms p50|added, ms p50|kB a socket|seconds to the end"
    text += report.table("All", columns, rows)
    text += "\n" + report.MEDIANS + "\n" + report.ending()
    report.write("relayed", text)
    print(text)


if __name__ == "__main__":
    main()
