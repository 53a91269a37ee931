"""ImbaChat's error body, the same for every status."""

from typing import Any

from chatproxy.errors import ChatproxyError

#: Version of the interface that a site offers to imbachat.com.
VERSION = "1.0"


def envelope(error: ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Return the four fields. `debug` is empty, as in the vendor's sample."""
    return {"code": error.status, "version": VERSION, "error": error.message, "debug": ""}
