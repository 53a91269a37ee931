"""The listener: a thread a connection, on loopback unless told otherwise."""

import ipaddress
import itertools
import socket
import threading
from typing import Any, Self, TypedDict

from .application import Application
from .connection import Connection

BACKLOG = 2048
# How long to wait where accepting fails though nobody stopped it, in seconds.
OUT_OF_FILES = 0.05


class Listening(TypedDict, total=False):
    """Where a server listens, if not on a free port of 127.0.0.1."""

    port: int
    host: str
    exposed: bool


class Server:
    """Serves one application on a real socket; a context manager.

    Port 0 takes a free one. A host that is not loopback needs `exposed`, because everybody knows
    the credentials that a stand-in takes.
    """

    def __init__(
        self, app: Application[Any], port: int = 0, host: str = "127.0.0.1", exposed: bool = False
    ) -> None:
        if not exposed and not _is_loopback(host):
            raise ValueError(f"a stand-in listens on loopback only, not on {host!r}")

        self.app = app
        self._sockets: dict[int, socket.socket] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._stopping = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="sandbox", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop accepting and end every open connection."""
        self._stopping.set()
        _shut(self._listener)
        self._listener.close()
        self._acceptor.join(5)
        with self._lock:
            for sock in self._sockets.values():
                _shut(sock)

    def connection(self, sock: socket.socket, number: int) -> Connection:
        """Return what serves the server's connection of this number."""
        return Connection(sock, self.app)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                if self._stopping.wait(OUT_OF_FILES):
                    return

                continue

            number = next(self._numbers)
            with self._lock:
                self._sockets[number] = sock

            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            self.connection(sock, number).serve()
        finally:
            with self._lock:
                del self._sockets[number]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shut(sock: socket.socket) -> None:
    """Wake whoever waits on the socket; closing alone would not."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
