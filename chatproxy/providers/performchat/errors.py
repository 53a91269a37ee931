"""PerformChat's error shape, for failures that chatproxy itself reports."""

from http import HTTPStatus
from typing import Any

from chatproxy.errors import ChatproxyError


def envelope(error: ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Return the three fields: the status, what happened, and the status in words."""
    try:
        phrase = HTTPStatus(error.status).phrase
    except ValueError:
        phrase = "Error"

    return {"statusCode": error.status, "message": error.message, "error": phrase}
