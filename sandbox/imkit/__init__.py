"""A stand-in for IMKit's chat server, which finds tokens by look-up and not by signature.

Strict about what it is sent. Facts from the vendor's documentation and public code. No Socket.IO.
"""

from __future__ import annotations

from ..journal import CAPACITY
from ..standin import StandIn
from .application import IMKitApplication
from .authentication import Keys
from .state import Document, State

# Known to everybody who has the package; real ones never look like this.
API_KEY = "imkit-sandbox-api-key-of-the-stand-in"
CLIENT_KEY = "imkit-sandbox-client-key-of-the-stand-in"


class IMKitSandbox(StandIn):
    """One stand-in on a real socket; a context manager.

    Port 0 takes a free one. `clients` holds what is known of each client, by `_id`; `tokens` the
    client's id and the end, in epoch seconds, of each token. Hold `lock` to go through either
    while others call.
    """

    def __init__(
        self,
        port: int = 0,
        api_key: str = API_KEY,
        client_key: str = CLIENT_KEY,
        *,
        host: str = "127.0.0.1",
        exposed: bool = False,
        journal_capacity: int = CAPACITY,
    ) -> None:
        state = State()
        self.clients: dict[str, Document] = state.clients
        self.tokens: dict[str, tuple[str, float]] = state.tokens
        self.lock = state.lock
        app = IMKitApplication(Keys(api_key, client_key), state)
        super().__init__(app, host, port, exposed=exposed, journal_capacity=journal_capacity)
