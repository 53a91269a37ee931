"""A NAT between a client and its server, which forgets the connections that it carries."""

import contextlib
import socket
import threading
from typing import Self

from .peer import reset_when_closed


class Flow:
    """One connection through the NAT: bytes are carried both ways until it is forgotten."""

    def __init__(self, near: socket.socket, port: int) -> None:
        self._near = near
        self._far = socket.create_connection(("127.0.0.1", port))
        self.forgotten = ""

        self._carriers = [
            threading.Thread(target=self._carry, args=ends, daemon=True)
            for ends in ((near, self._far), (self._far, near))
        ]

        for carrier in self._carriers:
            carrier.start()

    def close(self) -> None:
        self._end()

        for carrier in self._carriers:
            carrier.join()

        self._near.close()
        self._far.close()

    def _end(self) -> None:
        for sock in (self._near, self._far):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if self.forgotten == "reset":
                    reset_when_closed(source)
                    source.close()
                    return

                if not self.forgotten:
                    sink.sendall(piece)

        self._end()


class Nat:
    """Listens before a local port; a context manager."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.flows: list[Flow] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self.end()

    def forget(self, how: str = "silent") -> None:
        """Carry no more on what is open now; `reset` answers the next bytes with RST."""
        for flow in self.flows:
            flow.forgotten = how

    def end(self) -> None:
        """End what is open now, as both ends see, and carry anew."""
        for flow in self.flows:
            flow.close()

        self.flows.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self.flows.append(Flow(near, self._to))
