"""A stand-in for PerformChat's server, as far as a sidecar needs one: the key, agents, an echo.

Strict about what it is sent. Facts from the vendor's documentation.
"""

from typing import Unpack

from ..server import Listening, Server
from .application import PerformChatApplication

# Known to everybody who has the source; real ones never look like this.
KEY_ID = "pk_sandbox_of_the_stand_in"
KEY_SECRET = "sk_sandbox_secret_of_the_stand_in"  # noqa: S105


class PerformChatSandbox(Server):
    """The stand-in on a real socket."""

    def __init__(
        self, key_id: str = KEY_ID, key_secret: str = KEY_SECRET, **listening: Unpack[Listening]
    ) -> None:
        super().__init__(PerformChatApplication(key_id, key_secret), **listening)
