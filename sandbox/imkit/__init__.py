"""A stand-in for IMKit's chat server, which finds tokens by look-up and not by signature.

It keeps clients with their tokens, and rooms, and is strict about credentials. Facts from the
vendor's documentation and public code. No Socket.IO.
"""

from typing import Unpack

from ..server import Listening, Server
from .application import IMKitApplication
from .authentication import Keys
from .state import Document, State

# Known to everybody who has the source; real ones never look like this.
API_KEY = "imkit-sandbox-api-key-of-the-stand-in"
CLIENT_KEY = "imkit-sandbox-client-key-of-the-stand-in"


class IMKitSandbox(Server):
    """The stand-in on a real socket.

    `clients` holds what is known of each client, by `_id`; `tokens` the client's id and the end,
    in epoch seconds, of each token. Hold `lock` to go through either while others call.
    """

    def __init__(
        self, api_key: str = API_KEY, client_key: str = CLIENT_KEY, **listening: Unpack[Listening]
    ) -> None:
        state = State()
        self.clients: dict[str, Document] = state.clients
        self.tokens: dict[str, tuple[str, float]] = state.tokens
        self.lock = state.lock
        app = IMKitApplication(Keys(api_key, client_key), state)
        super().__init__(app, **listening)
