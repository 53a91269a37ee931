"""Stream's error envelope, for failures that chatproxy itself reports.

Its SDKs read these fields without asking whether they are there, so all six are
always present (the vendor's API specification, `APIError`).
"""

from typing import Any

from chatproxy.errors import ChatproxyError

MORE_INFO = "https://getstream.io/chat/docs/api_errors_response"

#: Stream's own code for each status; the SDKs decide by it whether to try again.
CODES = {
    400: 4,  # input error
    404: 16,  # does not exist
    405: 4,
    408: 23,  # request timed out: may be tried again
    413: 22,  # payload too big
    502: -1,  # internal: may be tried again
    504: 23,
}
INTERNAL = -1


def envelope(error: ChatproxyError, seconds: float) -> dict[str, Any]:
    """Return the six fields. `seconds` is how long the request took."""
    return {
        "code": CODES.get(error.status, INTERNAL),
        "message": error.message,
        "StatusCode": error.status,
        "duration": f"{seconds * 1000:.2f}ms",
        "more_info": MORE_INFO,
        "details": [],
    }
