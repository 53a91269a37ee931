"""Stream's error body, for failures that chatproxy itself reports.

The SDKs read all six fields without checking, so all are always present (`APIError` in the
vendor's API specification).
"""

from typing import Any

from chatproxy.errors import ChatproxyError

MORE_INFO = "https://getstream.io/chat/docs/api_errors_response"

#: Stream's code for a status. The SDKs decide by it whether to try again.
CODES = {
    400: 4,  # input error
    401: 2,  # key invalid: not to be tried again
    403: 17,  # not allowed
    404: 16,  # does not exist
    405: 4,
    408: 23,  # request timed out: may be tried again
    413: 22,  # payload too big
    421: 4,
    429: 9,  # rate limit: may be tried again
    502: -1,  # internal: may be tried again
    504: 23,
}
INTERNAL = -1


def envelope(error: ChatproxyError, seconds: float) -> dict[str, Any]:
    """Return the six fields; `seconds` is the duration of the request."""
    return {
        "code": CODES.get(error.status, INTERNAL),
        "message": error.message,
        "StatusCode": error.status,
        "duration": f"{seconds * 1000:.2f}ms",
        "more_info": MORE_INFO,
        "details": [],
    }
