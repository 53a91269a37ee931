"""A stand-in for imbachat.com, as far as its calls are public: the widget's script, `send_msg`.

Strict about what it is sent. What else it has is not documented, and answered with 404.
"""

from typing import Unpack

from ..server import Listening, Server
from .application import ImbaChatApplication

# Known to everybody who has the source; real ones never look like this.
DEV_ID = "sandbox"
SECRET_KEY = "sandbox-imbachat-secret-of-the-stand-in-not-for-production"  # noqa: S105


class ImbaChatSandbox(Server):
    """The stand-in on a real socket."""

    def __init__(
        self, dev_id: str = DEV_ID, secret_key: str = SECRET_KEY, **listening: Unpack[Listening]
    ) -> None:
        super().__init__(ImbaChatApplication(dev_id, secret_key), **listening)
