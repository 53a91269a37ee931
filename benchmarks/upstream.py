"""A cheap, constant upstream: the same 300 bytes of JSON to every request.

`/wait/<seconds>` answers after that time. `/in-flight` tells how many wait and needs
no credentials, nor does `/`. Anything else without credentials is answered with 401,
so a proxy that does not put them in is found out.
"""

import asyncio
import json
import re
import sys

BODY = json.dumps(
    {
        "users": {"alice": {"id": "alice", "name": "Alice", "role": "user", "online": False}},
        "created_at": "2026-11-20T12:00:00.000000Z",
        "updated_at": "2026-11-20T12:00:00.000000Z",
        "membership_deletion_task_id": "",
        "padding": "0123456789" * 6,
        "duration": "4.21ms",
    }
).encode()
FIELDS = (
    b"Date: Fri, 20 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: application/json;charset=utf-8\r\n"
    b"X-Ratelimit-Limit: 10000\r\nX-Ratelimit-Remaining: 9999\r\nX-Ratelimit-Reset: 1795176060\r\n"
    b"Cache-Control: no-cache, no-store\r\nVary: Origin, Accept-Encoding\r\n"
    b"Access-Control-Allow-Origin: *\r\nX-Request-Id: 0b9c1e2a-7d5f-4f3e-9a51-2f4c8d1e6b70\r\n"
)
CREDENTIALS = re.compile(rb"[?&]api_key=.*\r\nauthorization: \S", re.DOTALL | re.IGNORECASE)
WAIT = re.compile(rb"GET /wait/([0-9.]+)")
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
BACKLOG = 2048


class Upstream(asyncio.Protocol):
    """One connection. Requests come one at a time; a body has a length."""

    in_flight = 0

    def __init__(self) -> None:
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each complete request."""
        self._unread += data

        while b"\r\n\r\n" in self._unread:
            head, _, rest = self._unread.partition(b"\r\n\r\n")
            length = int(found[1]) if (found := LENGTH.search(head)) else 0

            if len(rest) < length:
                return

            self._unread = rest[length:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith((b"GET / ", b"GET /in-flight ")):
            self._write(b"200 OK", b"%d" % Upstream.in_flight)
        elif not CREDENTIALS.search(head):
            self._write(b"401 Unauthorized", b"{}")
        elif found := WAIT.match(head):
            Upstream.in_flight += 1
            asyncio.get_running_loop().call_later(float(found[1]), self._answer_late)
        else:
            self._write(b"200 OK", BODY)

    def _answer_late(self) -> None:
        Upstream.in_flight -= 1
        self._write(b"200 OK", BODY)

    def _write(self, status: bytes, body: bytes) -> None:
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        self._transport.write(b"HTTP/1.1 " + status + b"\r\n" + FIELDS + length + body)


async def serve(port: int) -> None:
    """Serve until the process ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", port, backlog=BACKLOG)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
