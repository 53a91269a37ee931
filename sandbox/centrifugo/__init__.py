"""A stand-in for Centrifugo: its server API, and its word on a connection token.

No WebSocket: `POST /_sandbox/connect` with a token tells what would become of a client that
brings it. Facts from the vendor's documentation and public code, versions 5 and 6.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..journal import CAPACITY
from ..standin import StandIn
from .application import CentrifugoApplication
from .connecting import NAMESPACES, ConnectionRules, Outcome

__all__ = ["API_KEY", "TOKEN_SECRET", "CentrifugoSandbox", "ConnectionRules", "Outcome"]

# Known to everybody who has the package; real ones never look like this.
API_KEY = "centrifugo-sandbox-key"
TOKEN_SECRET = "sandbox-centrifugo-secret-of-the-stand-in-not-for-production"  # noqa: S105


class CentrifugoSandbox(StandIn):
    """One stand-in on a real socket; a context manager.

    Port 0 takes a free one. `disconnected` holds the users whom the server API was told to
    disconnect, in order. `rules` says what becomes of a token.
    """

    def __init__(
        self,
        port: int = 0,
        api_key: str = API_KEY,
        token_secrets: Sequence[str] = (TOKEN_SECRET,),
        *,
        audience: str | None = None,
        issuer: str | None = None,
        anonymous: bool = True,
        namespaces: Sequence[str] = NAMESPACES,
        host: str = "127.0.0.1",
        exposed: bool = False,
        journal_capacity: int = CAPACITY,
    ) -> None:
        self.disconnected: list[str] = []
        self.rules = ConnectionRules(
            tuple(token_secrets), audience, issuer, anonymous, tuple(namespaces)
        )
        app = CentrifugoApplication(api_key, self.rules, self.disconnected)
        super().__init__(app, host, port, exposed=exposed, journal_capacity=journal_capacity)
