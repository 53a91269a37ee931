"""ImbaChat's error shape, the same for every status."""

from typing import Any

from chatproxy.errors import ChatproxyError

#: Of the interface that a site offers to imbachat.com.
VERSION = "1.0"


def envelope(error: ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Say a failure. `debug` stays empty, as it does in the vendor's sample."""
    return {"code": error.status, "version": VERSION, "error": error.message, "debug": ""}
