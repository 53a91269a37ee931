"""Stream's error table and the six-field envelope all of its errors come in.

Source: the vendor's API error page and the tables inside its npm package (9.53.0).
"""

from typing import Any

from ..answers import Answer, Refusal, json_answer

MORE_INFO = "https://getstream.io/chat/docs/api_errors_response"
# What stands where the vendor tells how long it took.
NO_TIME = "0.00ms"


INTERNAL, API_KEY, INPUT, AUTHENTICATION, RATE_LIMIT = -1, 2, 4, 5, 9
NOT_FOUND, NOT_ALLOWED, TOO_LONG, TOO_BIG = 16, 17, 20, 22
EXPIRED, NOT_YET_VALID, ISSUED_LATER, BAD_SIGNATURE = 40, 41, 42, 43

# The HTTP status of each code and what it stands for.
KINDS: dict[int, tuple[int, str]] = {
    INTERNAL: (500, "internal error"),
    API_KEY: (401, "api_key not valid"),
    INPUT: (400, "input error"),
    AUTHENTICATION: (401, "authentication failed"),
    RATE_LIMIT: (429, "Too many requests, check response headers for more information."),
    NOT_FOUND: (404, "does not exist"),
    NOT_ALLOWED: (403, "not allowed"),
    TOO_LONG: (400, "message too long"),
    TOO_BIG: (413, "payload too big"),
    23: (408, "request timed out"),
    24: (431, "request headers too large"),
    EXPIRED: (401, "token expired"),
    NOT_YET_VALID: (401, "token not valid yet"),
    ISSUED_LATER: (401, "token used before issue at (iat)"),
    BAD_SIGNATURE: (401, "signature is not valid"),
}
# The first row of a status speaks for it, but a bare 401 is no matter of the key.
CODES: dict[int, int] = {
    **{status: code for code, (status, _) in reversed(KINDS.items())},
    401: AUTHENTICATION,
}


class StreamError(Refusal):
    """An error of the table; `field` is the one of the body or the query that is wrong."""

    def __init__(self, code: int, message: str, field: str = "") -> None:
        status, _ = KINDS[code]
        wrong = {"exception_fields": {field: message}} if field else {}
        super().__init__(status, {**_envelope(status, code, message), **wrong})


def of_status(status: int) -> Answer:
    """Return the error that a bare status stands for."""
    code = CODES.get(status, INTERNAL if status >= 500 else INPUT)
    return json_answer(status, _envelope(status, code, KINDS[code][1]))


def _envelope(status: int, code: int, message: str) -> dict[str, Any]:
    return {
        "code": code,
        "message": message,
        "StatusCode": status,
        "duration": NO_TIME,
        "more_info": MORE_INFO,
        "details": [],
    }
