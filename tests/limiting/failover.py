"""Two Redis servers behind one name, as after a failover: who is connected stays where it is."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import redis

from tests.limiting.conftest import OwnRedis


class Name:
    """A TCP address that leads new connections to one port or to another."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self._ends: list[socket.socket] = []
        self._silent = threading.Event()
        self.connections = 0
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """Pass on nothing more of the connections that there are, and leave them open."""
        self._silent.set()
        self._silent = threading.Event()

    def close(self) -> None:
        for one in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                self.connections += 1
                server = socket.create_connection(("127.0.0.1", self.port))
                self._ends += caller, server

                for one, other in ((caller, server), (server, caller)):
                    arguments = (one, other, self._silent)
                    threading.Thread(target=_pass_on, args=arguments, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, silent: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            if silent.is_set():
                return

            target.sendall(piece)

        target.shutdown(socket.SHUT_WR)


class Pair:
    """A primary and its replica, and the name of whichever is the primary."""

    def __init__(self) -> None:
        self.servers = [OwnRedis(), OwnRedis()]

        for server in self.servers:
            server.start()

        self.primary, self.replica = (redis.Redis.from_url(one.url) for one in self.servers)
        self.primary.config_set("repl-diskless-sync-delay", 0)
        self.replica.replicaof("127.0.0.1", self.servers[0].port)
        self._wait_for_the_link()
        self.name = Name(self.servers[0].port)
        self.url = self.name.url

    def demote(self) -> None:
        """Leave nobody who takes writes."""
        self.primary.replicaof("127.0.0.1", self.servers[1].port)

    def promote(self) -> None:
        """Let the other one take over, under the same name."""
        self.replica.replicaof("NO", "ONE")
        self.name.port = self.servers[1].port

    def _wait_for_the_link(self) -> None:
        until = time.monotonic() + 20

        while self.replica.info("replication")["master_link_status"] != "up":
            assert time.monotonic() < until, "the replica does not follow"
            time.sleep(0.05)

    def close(self) -> None:
        self.name.close()

        for one in (self.primary, self.replica):
            one.close()

        for server in self.servers:
            server.stop()


@contextlib.contextmanager
def pair() -> Iterator[Pair]:
    made = Pair()

    try:
        yield made
    finally:
        made.close()
