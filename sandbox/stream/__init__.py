"""A stand-in for Stream's server: `StreamSandbox` for tests, `serve` for a process of its own.

Strict about what it is sent and, on demand, misbehaving. Facts from the vendor's public pages and
from its official SDKs (stream-chat 4.33.0 and 9.53.0, getstream 7.0.0, node-sdk 0.7.64).
"""

from __future__ import annotations

from collections.abc import Sequence

from chatproxy.providers.stream.settings import STAND_IN_KEY, STAND_IN_SECRET

from ..journal import CAPACITY
from ..standin import StandIn
from .application import StreamApplication
from .authentication import Credentials

# Known to everybody who has the package; real ones never look like this.
API_KEY = STAND_IN_KEY
API_SECRET = STAND_IN_SECRET
RATE_LIMIT = 1_000_000


class StreamSandbox(StandIn):
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
        app = StreamApplication(Credentials(api_key, tuple(api_secrets)), rate_limit)
        super().__init__(app, host, port, exposed=exposed, journal_capacity=journal_capacity)
