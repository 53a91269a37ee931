"""One connection's life: request after request, until either side ends it."""

import socket
from collections.abc import Iterator
from typing import Any

from .answers import Answer
from .application import Application
from .outgoing import Outgoing
from .wire import Head, Malformed, PeerLeft, Wire

LINGER = 1.0


class Connection:
    """Serves one accepted socket, whose requests come as the `Request` that applications read."""

    head: Head

    def __init__(self, sock: socket.socket, app: Application[Any]) -> None:
        self.wire = Wire(sock)
        self.app = app

    def serve(self) -> None:
        """Answer until the connection ends; closes the socket."""
        try:
            while self.exchange():
                pass
        except PeerLeft:
            pass
        except Malformed as error:
            self.refuse(error)
        finally:
            self.wire.sock.close()

    def pieces(self) -> Iterator[bytes]:
        """Return the body of the current request as it comes."""
        return self.wire.body()

    def exchange(self) -> bool:
        """Take one request through; False where the connection ends after it."""
        head = self.wire.next_head()
        if head is None:
            return False

        self.head = head
        answer = self.app.respond(self)
        self.see_upload_through(answer)
        Outgoing(self.wire, answer, head.method).send()
        return self.goes_on(answer)

    def see_upload_through(self, answer: Answer) -> None:
        """Read what the application left of the body, unless the answer is an early one."""
        if not answer.early:
            for _ in self.pieces():
                pass

    def goes_on(self, answer: Answer) -> bool:
        """Say whether another request may come; after an early answer none does."""
        if answer.early:
            self.wire.drain(LINGER)

        return self.wire.is_reusable and not answer.early

    def refuse(self, error: Malformed) -> None:
        """Answer what was no HTTP with its status; the connection ends after it."""
        try:
            Outgoing(self.wire, self.app.failure(error.status), "GET").send()
            self.wire.drain(LINGER)
        except PeerLeft:
            return
