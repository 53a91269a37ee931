"""A client that sends exactly the packets it is told to, over a real WebSocket."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import websocket

QUERY = "EIO=4&transport=websocket"


class RawSocket:
    """A WebSocket whose handshake is done. Pings are answered on the way."""

    def __init__(self, port: int, query: str = QUERY, **options: Any) -> None:
        url = f"ws://127.0.0.1:{port}/imkit/socket.io/?{query}"
        self.frames = websocket.create_connection(url, timeout=15, **options)
        self.last = ""

    def say(self, packet: str) -> None:
        self.frames.send(packet)

    def hear(self) -> str:
        """Return the next packet; raise `ConnectionError` where there is none any more."""
        while True:
            operation, data = self.frames.recv_data()

            if operation == websocket.ABNF.OPCODE_CLOSE:
                code = int.from_bytes(data[:2], "big") if data else None
                raise Closed(code)

            if data != b"2":
                self.last = bytes(data).decode()
                return self.last

            self.say("3")

    def enter(self) -> "RawSocket":
        """Take the first packet, and enter the main namespace."""
        assert self.hear().startswith("0{")
        self.say("40")
        assert self.hear().startswith('40{"sid":')
        return self

    def ask(self, event: str, *arguments: Any) -> Any:
        """Emit an event; return what it is acknowledged with."""
        self.say(f"427{json.dumps([event, *arguments])}")
        answer = self.hear()
        assert answer.startswith("437["), answer
        (found,) = json.loads(answer[3:])
        return found

    def closed_with(self) -> int | None:
        """Wait for the end; return the code that the server gives, None for no goodbye."""
        try:
            while True:
                self.hear()
        except Closed as closed:
            return closed.code
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.frames.shutdown()


class Closed(ConnectionError):
    """The server said goodbye."""

    def __init__(self, code: int | None) -> None:
        super().__init__(str(code))
        self.code = code


@contextmanager
def raw_socket(port: int, query: str = QUERY, **options: Any) -> Iterator[RawSocket]:
    """A socket that nobody has entered yet."""
    made = RawSocket(port, query, **options)

    try:
        yield made
    finally:
        made.close()


@contextmanager
def entered(port: int) -> Iterator[RawSocket]:
    """A socket whose client may emit."""
    with raw_socket(port) as made:
        yield made.enter()
