"""A stand-in for PerformChat's server, as far as a sidecar needs one: the key, agents, an echo.

Strict about what it is sent. Facts from the vendor's documentation.
"""

from __future__ import annotations

from ..journal import CAPACITY
from ..standin import StandIn
from .application import PerformChatApplication

# Known to everybody who has the package; real ones never look like this.
KEY_ID = "pk_sandbox_of_the_stand_in"
KEY_SECRET = "sk_sandbox_secret_of_the_stand_in"  # noqa: S105


class PerformChatSandbox(StandIn):
    """One stand-in on a real socket; a context manager.

    Port 0 takes a free one.
    """

    def __init__(
        self,
        port: int = 0,
        key_id: str = KEY_ID,
        key_secret: str = KEY_SECRET,
        *,
        host: str = "127.0.0.1",
        exposed: bool = False,
        journal_capacity: int = CAPACITY,
    ) -> None:
        app = PerformChatApplication(key_id, key_secret)
        super().__init__(app, host, port, exposed=exposed, journal_capacity=journal_capacity)
