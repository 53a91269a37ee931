"""A stand-in for Centrifugo: its server API, and its word on a connection token.

No WebSocket: `POST /_sandbox/connect` with a token tells what would become of a client that
brings it. Facts from the vendor's documentation and public code, versions 5 and 6.
"""

from collections.abc import Sequence
from typing import Unpack

from ..server import Listening, Server
from .application import CentrifugoApplication
from .connecting import ANYBODY, Parties

# Known to everybody who has the source; real ones never look like this.
API_KEY = "centrifugo-sandbox-key"
TOKEN_SECRET = "sandbox-centrifugo-secret-of-the-stand-in-not-for-production"  # noqa: S105


class CentrifugoSandbox(Server):
    """The stand-in on a real socket.

    `disconnected` holds the users whom the server API was told to disconnect, in order, by the
    names that their tokens have in `sub`.
    """

    def __init__(
        self,
        api_key: str = API_KEY,
        token_secrets: Sequence[str] = (TOKEN_SECRET,),
        parties: Parties = ANYBODY,
        **listening: Unpack[Listening],
    ) -> None:
        self.disconnected: list[str] = []
        app = CentrifugoApplication(api_key, tuple(token_secrets), parties, self.disconnected)
        super().__init__(app, **listening)
