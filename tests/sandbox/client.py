"""A client that shows what came byte for byte and how the connection ended."""

import http.client
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

import jwt

from sandbox import API_KEY, API_SECRET, StreamSandbox

SERVER_TOKEN = jwt.encode({"server": True}, API_SECRET, "HS256")
CREDENTIALS = {"Authorization": SERVER_TOKEN, "stream-auth-type": "jwt"}


def with_key(target: str) -> str:
    return f"{target}{'&' if '?' in target else '?'}api_key={API_KEY}"


def request_bytes(method: str, target: str, fields: dict[str, str], body: bytes = b"") -> bytes:
    """A request whose fields are taken as they are; Host is put in, a length where one is due."""
    lines = {"Host": "stand-in", **fields}
    if body and "Transfer-Encoding" not in lines:
        lines.setdefault("Content-Length", str(len(body)))

    head = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items())]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


@dataclass
class Seen:
    """All that came within the time: `ending` is FIN, RST or open."""

    raw: bytes
    ending: str
    seconds: float

    @property
    def head(self) -> bytes:
        return self.raw.split(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1])


def look(sock: socket.socket, seconds: float = 1.0) -> Seen:
    """Read until the other side ends it, or for so many seconds of silence."""
    sock.settimeout(seconds)
    raw, ending, started = b"", "open", time.monotonic()
    try:
        while piece := sock.recv(65536):
            raw += piece

        ending = "FIN"
    except ConnectionResetError:
        ending = "RST"
    except TimeoutError:
        pass

    return Seen(raw, ending, time.monotonic() - started)


class Client:
    """Talks to one stand-in, with the right credentials unless told otherwise."""

    def __init__(self, stand_in: StreamSandbox) -> None:
        self.stand_in = stand_in

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.stand_in.port), timeout=10)

    def see(self, sent: bytes, seconds: float = 1.0) -> Seen:
        """Send raw bytes on a connection of their own and look at what comes."""
        with self.connect() as sock:
            sock.sendall(sent)
            return look(sock, seconds)

    def provoke(
        self, fault: str, target: str = "/_sandbox/bytes?size=40", seconds: float = 0.4
    ) -> Seen:
        """Ask for a fault in the request's own header."""
        fields = {**CREDENTIALS, "X-Sandbox-Fault": fault}
        return self.see(request_bytes("GET", with_key(target), fields), seconds)

    def call(self, method: str, target: str, document: Any = None, **fields: str) -> "Told":
        """Make one API call as the server, or with other fields instead."""
        body = b"" if document is None else json.dumps(document).encode()
        return self.send(method, with_key(target), body, {**CREDENTIALS, **fields})

    def send(self, method: str, target: str, body: Any, fields: dict[str, str]) -> "Told":
        connection = http.client.HTTPConnection("127.0.0.1", self.stand_in.port, timeout=30)
        try:
            connection.request(method, target, body=body or None, headers=fields)
            answer = connection.getresponse()
            return Told(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()


@dataclass
class Told:
    """A well-formed answer."""

    status: int
    fields: list[tuple[str, str]]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    def __getitem__(self, name: str) -> Any:
        return self.json[name]

    @property
    def refusal(self) -> tuple[int, int]:
        """Status and Stream's code; the envelope must be whole."""
        document = self.json
        required = {"code", "message", "StatusCode", "duration", "more_info", "details"}
        assert required <= document.keys() <= required | {"exception_fields"}
        assert document["StatusCode"] == self.status
        return self.status, document["code"]
