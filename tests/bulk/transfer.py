"""Bodies as streams: sent from an iterator, hashed on arrival, held by nobody."""

import dataclasses
import hashlib
import json
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import h11

from tests.wire import answer_on, connected

READ_SIZE = 256 * 1024
PATIENCE = 60.0

Framing = Literal["none", "sized", "chunked"]
End = Literal["message", "fin", "reset"]


@dataclasses.dataclass(frozen=True)
class Download:
    """An answer, its body hashed. `end` says what ended it."""

    status: int
    framing: Framing
    size: int
    sha256: str
    end: End
    complete: bool


def upload(port: int, target: str, body: Iterable[bytes], length: int | None) -> dict[str, Any]:
    """POST a body as it is on the wire, chunked where it has no length; return the JSON answer."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"

    with connected(port, PATIENCE) as sock:
        sock.sendall(f"POST {target} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode())

        for part in body:
            sock.sendall(part)

        answer = answer_on(sock, "POST")

    assert (answer.status, answer.complete) == (200, True), answer
    document: dict[str, Any] = json.loads(answer.body)
    return document


def chunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Frame each piece as a chunk, and add the last one."""
    for piece in pieces:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)

    yield b"0\r\n\r\n"


def in_one_chunk(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Frame the whole as one chunk."""
    yield b"%x\r\n" % size
    yield from pieces
    yield b"\r\n0\r\n\r\n"


def download(port: int, target: str, *lines: str, version: str = "1.1") -> Download:
    """GET a body and hash it. Raises `ConnectionError` where not even a head came."""
    head = [f"GET {target} HTTP/{version}", "Host: localhost", *lines]

    with connected(port, PATIENCE) as sock:
        sock.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        return read_download(sock)


def read_download(sock: socket.socket) -> Download:
    """Read one answer strictly: a reset is never the end of a body, an early FIN neither."""
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    parser.send(h11.EndOfMessage())
    response: h11.Response | None = None
    digest, size = hashlib.sha256(), 0
    end: End = "message"

    while end != "reset":
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError:
            break

        if event is h11.NEED_DATA:
            data, end = _receive(sock)

            if end != "reset":
                parser.receive_data(data)
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            digest.update(event.data)
            size += len(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return _download(response, size, digest.hexdigest(), end, complete=True)

    return _download(response, size, digest.hexdigest(), end, complete=False)


def peak_memory(pid: int) -> int:
    """Return the most bytes of memory that the process held since `forget_peak`."""
    return _memory(pid, "VmHWM:")


def forget_peak(pid: int) -> int:
    """Begin a new peak (proc(5), clear_refs); return the memory held now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _memory(pid, "VmRSS:")


def _memory(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024

    raise AssertionError(f"no {name} of {pid}")


def _receive(sock: socket.socket) -> tuple[bytes, End]:
    try:
        data = sock.recv(READ_SIZE)
    except ConnectionError:
        return b"", "reset"

    return data, "message" if data else "fin"


def _download(
    response: h11.Response | None, size: int, sha256: str, end: End, *, complete: bool
) -> Download:
    if response is None:
        raise ConnectionError("no answer")

    names = {name for name, _ in response.headers}
    assert not names >= {b"content-length", b"transfer-encoding"}
    framing: Framing = "none"

    if b"transfer-encoding" in names:
        framing = "chunked"
    elif b"content-length" in names:
        framing = "sized"

    return Download(response.status_code, framing, size, sha256, end, complete)
