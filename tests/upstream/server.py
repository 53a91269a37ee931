"""What makes a stand-in the tests' upstream; mixed in before the stand-in's class."""

import socket
from typing import Any

from sandbox.server import Server

from .connection import UpstreamConnection
from .control import Control
from .faults import Faults
from .journal import CAPACITY, Journal, Link
from .leaks import Leaks
from .probes import routes


class Upstream(Server):
    """`journal` tells what arrived, `faults` takes orders for misbehaviour.

    The probes lie at the end of the stand-in's own routing table, and so behind its credentials.
    """

    leaks: Leaks | None = None
    probe_folders: tuple[str, ...] = ("",)

    def __init__(self, *arguments: Any, journal_capacity: int = CAPACITY, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.journal = Journal(journal_capacity)
        self.faults = Faults()
        self.control = Control(self.journal, self.faults)
        for folder in self.probe_folders:
            self.app.routes.add(*routes(self.app, folder))

    def connection(self, sock: socket.socket, number: int) -> UpstreamConnection:
        return UpstreamConnection(sock, Link(number), self)
