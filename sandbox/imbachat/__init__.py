"""A stand-in for imbachat.com, as far as its calls are public: the widget's script, `send_msg`.

Strict about what it is sent. What else it has is not documented, and answered with 404.
"""

from __future__ import annotations

from ..journal import CAPACITY
from ..standin import StandIn
from .application import ImbaChatApplication

# Known to everybody who has the package; real ones never look like this.
DEV_ID = "sandbox"
SECRET_KEY = "sandbox-imbachat-secret-of-the-stand-in-not-for-production"  # noqa: S105


class ImbaChatSandbox(StandIn):
    """One stand-in on a real socket; a context manager.

    Port 0 takes a free one.
    """

    def __init__(
        self,
        port: int = 0,
        dev_id: str = DEV_ID,
        secret_key: str = SECRET_KEY,
        *,
        host: str = "127.0.0.1",
        exposed: bool = False,
        journal_capacity: int = CAPACITY,
    ) -> None:
        app = ImbaChatApplication(dev_id, secret_key)
        super().__init__(app, host, port, exposed=exposed, journal_capacity=journal_capacity)
