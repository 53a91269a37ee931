"""Callers that send a byte a second, in a process of their own.

    python -m benchmarks.slow PORT PATH HEADS BODIES

Opens all connections and writes a line. From then on each sends one byte a second: some
of their headers, some of their body. A line on the standard input ends that: what became
of the connections is printed as one JSON object, after the rest of each request was sent
at once and its answer read.
"""

import contextlib
import json
import select
import socket
import sys
import time

from benchmarks.processes import raise_descriptor_limit

PER_SECOND = 1.0
BODY = b'{"users": {"slow": {"id": "slow", "name": "' + 76 * b"y" + b'"}}}'
HEAD_PADDING = 120
ANSWER_WITHIN = 10.0


class SlowCaller:
    """One connection and what of its request is still to be sent."""

    def __init__(self, port: int, at_once: bytes, slowly: bytes) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_WITHIN)
        self.sock.sendall(at_once)
        self._rest = slowly
        self.sent = 0

    def send_byte(self) -> None:
        """Send the next byte; a connection that is gone is found at the end."""
        try:
            self.sock.sendall(self._rest[:1])
        except OSError:
            return

        self._rest = self._rest[1:]
        self.sent += 1

    def is_open(self) -> bool:
        """Say whether neither an answer nor an end has come."""
        return not select.select([self.sock], [], [], 0)[0]

    def send_rest(self) -> None:
        """Send all that is left of the request at once."""
        with contextlib.suppress(OSError):
            self.sock.sendall(self._rest)

    def is_answered(self, until: float) -> bool:
        """Say whether the request is answered with success after all."""
        try:
            self.sock.settimeout(max(0.001, until - time.monotonic()))
            return self.sock.recv(10) == b"HTTP/1.1 2"
        except OSError:
            return False


def with_slow_headers(port: int, path: str) -> SlowCaller:
    """Open a connection whose headers, from the first byte on, come slowly."""
    padding = "x" * HEAD_PADDING
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Padding: {padding}\r\n\r\n"
    return SlowCaller(port, b"", head.encode())


def with_slow_body(port: int) -> SlowCaller:
    """Open a connection whose headers are sent at once and whose body comes slowly."""
    head = f"POST /proxy/users HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(BODY)}"
    return SlowCaller(port, head.encode() + b"\r\n\r\n", BODY)


def send_slowly(callers: list[SlowCaller]) -> None:
    """Send a byte a second on each, spread over the second, until a line is read."""
    pause = PER_SECOND / len(callers)
    due = time.monotonic()

    while True:
        for caller in callers:
            caller.send_byte()
            due += pause

            if select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
                return


def main() -> None:
    """Open, say so, send slowly, and tell what became of it."""
    raise_descriptor_limit()
    port, path, heads, bodies = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    slow_heads = [with_slow_headers(port, path) for _ in range(heads)]
    slow_bodies = [with_slow_body(port) for _ in range(bodies)]
    everyone = slow_heads + slow_bodies
    print("open", flush=True)
    send_slowly(everyone)
    still_open = [caller.is_open() for caller in everyone]

    for caller in everyone:
        caller.send_rest()

    until = time.monotonic() + ANSWER_WITHIN
    completed = sum(caller.is_answered(until) for caller in everyone)
    print(
        json.dumps(
            {
                "connections": len(everyone),
                "least_sent": min(caller.sent for caller in everyone),
                "open_heads": sum(still_open[:heads]),
                "open_bodies": sum(still_open[heads:]),
                "completed": completed,
            }
        )
    )


if __name__ == "__main__":
    main()
