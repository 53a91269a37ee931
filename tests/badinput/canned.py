"""An upstream that answers the bytes it is told to, whatever it is asked."""

import contextlib
import socket
import threading
import time


class CannedUpstream:
    """Answers each request with `answer`; ends the connection after it where `closes` is set.

    After the `first` bytes of the answer it pauses, so that they arrive by themselves.
    `requests` holds the heads that came, each with the number of its connection.
    """

    def __init__(self) -> None:
        self.answer = b""
        self.closes = True
        self.first = 0
        self.requests: list[tuple[int, bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "CannedUpstream":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def says(self, *lines: str, body: bytes = b"", closes: bool = True) -> None:
        """Set the answer from its head's lines, in Latin-1, and its body."""
        self.answer = "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1") + body
        self.closes = closes
        self.first = 0
        self.requests.clear()

    def _accept(self) -> None:
        number = 0

        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return

            number += 1
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with sock:
            while head := _head(sock):
                self.requests.append((number, head))
                self._send(sock)

                if self.closes:
                    return

    def _send(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the sidecar had enough
            if self.first:
                sock.sendall(self.answer[: self.first])
                time.sleep(0.1)

            sock.sendall(self.answer[self.first :])


def _head(sock: socket.socket) -> bytes:
    head = b""

    try:
        while b"\r\n\r\n" not in head:
            if not (data := sock.recv(65536)):
                return b""

            head += data
    except OSError:
        return b""

    return head
