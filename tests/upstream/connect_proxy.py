"""An outbound proxy on real sockets: it opens tunnels on CONNECT, or misbehaves."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"

#: Is given the client's end and the head that it sent; the end is closed afterwards.
Misbehaviour = Callable[[socket.socket, bytes], None]


class ConnectProxy:
    """Notes every head that it is sent, and what went to the upstreams; a context manager.

    `instead` is what it does in place of opening a tunnel, from the next connection on.
    """

    def __init__(self, instead: Misbehaviour | None = None) -> None:
        self.heads: list[bytes] = []
        self.carried = b""
        self.instead = instead
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.port: int = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()

        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

        for thread in self._threads:
            thread.join()

        for end in self._ends:
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._ends.append(near)
                self._run(self._serve, near)

    def _run(self, task: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=task, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = b""

            while b"\r\n\r\n" not in head:
                if not (piece := near.recv(1)):
                    return

                head += piece

            self.heads.append(head)

            if self.instead is None:
                self._open(near, head)
            else:
                self.instead(near, head)
                near.shutdown(socket.SHUT_RDWR)

    def _open(self, near: socket.socket, head: bytes) -> None:
        host, port = head.split(b" ")[1].decode().rsplit(":", 1)
        far = socket.create_connection((host.strip("[]"), int(port)))
        self._ends.append(far)
        near.sendall(OPEN)
        self._run(self._carry, far, near, False)
        self._carry(near, far, True)

    def _carry(self, source: socket.socket, sink: socket.socket, noted: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                self.carried += piece if noted else b""
                sink.sendall(piece)

        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
