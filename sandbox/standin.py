"""A stand-in as tests hold it: a server together with its journal and its faults."""

from __future__ import annotations

from .answers import Application
from .connection import Site
from .control import Control
from .faults import Faults
from .journal import Journal
from .server import SandboxServer


class StandIn(SandboxServer):
    """Serves one application on a real socket; a context manager.

    `journal` tells what arrived, `faults` takes orders for misbehaviour.
    """

    def __init__(
        self, app: Application, host: str, port: int, *, exposed: bool, journal_capacity: int
    ) -> None:
        self.journal = Journal(journal_capacity)
        self.faults = Faults()
        site = Site(app, Control(self.journal, self.faults), self.journal, self.faults)
        super().__init__(site, host, port, exposed=exposed)
