"""A stand-in for Stream's server: `StreamSandbox` for tests, `serve` for a process of its own.

Strict about what it is sent and, on demand, misbehaving. Facts from the vendor's public pages and
from its official SDKs (stream-chat 4.33.0 and 9.53.0, getstream 7.0.0, node-sdk 0.7.64).
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from chatproxy.providers.stream.settings import STAND_IN_KEY, STAND_IN_SECRET

from ..connection import Site
from ..control import Control
from ..faults import Faults
from ..journal import CAPACITY, Journal
from ..server import SandboxServer
from .application import StreamApplication
from .authentication import Credentials

# Known to everybody who has the package; real ones never look like this.
API_KEY = STAND_IN_KEY
API_SECRET = STAND_IN_SECRET
RATE_LIMIT = 1_000_000


class StreamSandbox:
    """One stand-in on a real socket; a context manager.

    Port 0 takes a free one. The first of `api_secrets` signs what the server itself gives out,
    all of them are accepted. `rate_limit` is per endpoint and minute.
    """

    def __init__(
        self,
        port: int = 0,
        api_key: str = API_KEY,
        api_secrets: Sequence[str] = (API_SECRET,),
        *,
        host: str = "127.0.0.1",
        exposed: bool = False,
        rate_limit: int = RATE_LIMIT,
        journal_capacity: int = CAPACITY,
    ) -> None:
        self.journal = Journal(journal_capacity)
        self.faults = Faults()
        self._app = StreamApplication(Credentials(api_key, tuple(api_secrets)), rate_limit)
        site = Site(self._app, Control(self.journal, self.faults), self.journal, self.faults)
        self._server = SandboxServer(site, host, port, exposed=exposed)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    def open_connections(self) -> int:
        """How many TCP connections are open now."""
        return self._server.open_connections()

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._server.start()

    def stop(self) -> None:
        """End every connection and stop listening."""
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
