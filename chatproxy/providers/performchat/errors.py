"""PerformChat's error body, for failures that chatproxy itself reports."""

from http import HTTPStatus
from typing import Any

from chatproxy.errors import ChatproxyError


def envelope(error: ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Return the three fields; the vendor's page on invalidation shows only the first two."""
    try:
        phrase = HTTPStatus(error.status).phrase
    except ValueError:
        phrase = "Error"

    return {"statusCode": error.status, "message": error.message, "error": phrase}
