"""An upstream that breaks its answers off where the request tells it to.

`GET /cut?framing=…&size=…&at=…&end=…` sends the head and the first `at` bytes of the coded
body, then ends the connection. `GET /leave?mode=…&number=…` waits for the other side to go:
`head` before its answer, `silent` in the middle of it, `endless` while it sends without end.
"""

import contextlib
import socket
import struct
import threading
import time
from typing import Self
from urllib.parse import parse_qs

from tests.bulk.transfer import chunked

BACKLOG = 512
CHUNK = 10_000
PATTERN = bytes(range(256)) * 1200
WAIT_AT_MOST = 20.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Query = dict[str, str]


class CuttingUpstream:
    """Serves each connection in a thread and keeps none; a context manager."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests = 0
        self._left: dict[str, float] = {}
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)

        self._listener.close()

    def left_at(self, number: str, within: float) -> float:
        """Return when the other side was seen to have gone. Raises `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(lambda: number in self._left, within):
                raise TimeoutError(f"request {number} is still connected after {within} s")

            return self._left[number]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return

            self.requests += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(WAIT_AT_MOST)
            target = _read_head(sock).split(b" ")[1].decode()
            path, _, text = target.partition("?")
            query = {name: values[0] for name, values in parse_qs(text).items()}

            if path == "/cut":
                _cut(sock, query)
            else:
                self._outlast(sock, query)

    def _outlast(self, sock: socket.socket, query: Query) -> None:
        """Do as the mode says until the other side goes, and note when that was."""
        if query["mode"] != "head":
            sock.sendall(head("chunked", 0))
            sock.sendall(b"5\r\nfirst\r\n")

        try:
            while query["mode"] == "endless":
                sock.sendall(b"%x\r\n%s\r\n" % (CHUNK, PATTERN[:CHUNK]))

            if sock.recv(1):
                return
        except TimeoutError:
            return
        except OSError:
            pass  # a reset, which is an end as well

        with self._changed:
            self._left[query["number"]] = time.monotonic()
            self._changed.notify_all()


def head(framing: str, size: int) -> bytes:
    """Return an answer's head."""
    lines = {
        "sized": f"Content-Length: {size}\r\n",
        "chunked": "Transfer-Encoding: chunked\r\n",
        "until-close": "Connection: close\r\n",
    }
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{lines[framing]}\r\n".encode()


def coded_body(framing: str, size: int) -> bytes:
    """Return a body as it is on the wire."""
    body = PATTERN[:size]
    pieces = (body[at : at + CHUNK] for at in range(0, size, CHUNK))
    return b"".join(chunked(pieces)) if framing == "chunked" else body


def end(sock: socket.socket, kind: str) -> None:
    """Close with FIN or with RST."""
    if kind == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    sock.close()


def _cut(sock: socket.socket, query: Query) -> None:
    framing, size = query["framing"], int(query["size"])
    sock.sendall(head(framing, size) + coded_body(framing, size)[: int(query["at"])])
    end(sock, query["end"])


def _read_head(sock: socket.socket) -> bytes:
    received = b""

    while b"\r\n\r\n" not in received:
        if not (data := sock.recv(65536)):
            raise ConnectionError("no head")

        received += data

    return received
