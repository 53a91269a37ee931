"""ChatSDK's error shapes, for failures that chatproxy itself reports.

There are three: a fault in a body lists its issues (the shape of the validator that the
vendor uses), the token routes have a message only, all else has a code beside it.
"""

from collections.abc import Mapping
from typing import Any

from chatproxy.errors import (
    ChatproxyError,
    FaultKind,
    InvalidBody,
    LimiterUnavailable,
    TooManyRequests,
)

#: The vendor's words for a status; 500 has one of its own.
CODES = {401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND", 500: "INTERNAL_ERROR"}

#: The vendor's validator has codes of its own for what can be wrong with a value.
ISSUE_CODES: Mapping[FaultKind, str] = {
    "required": "invalid_type",
    "type": "invalid_type",
    "url": "invalid_string",
    "email": "invalid_string",
    "too short": "too_small",
    "too long": "too_big",
}
VALIDATOR = "ZodError"

#: What helps a caller whose token was refused.
HINT = "Get new tokens from your backend. REST calls take `token`, the WebSocket takes `wsToken`."


def of_tokens(error: ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Say a failure of the token routes."""
    return _special(error) or {"error": {"message": error.message}}


def of_check(error: ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Say that a token did not pass, or that it could not be checked."""
    said: dict[str, Any] = {"error": {"message": error.message}}

    if error.status == 401:
        return {"valid": False, "error": {"message": error.message, "hint": HINT}}

    return _special(error) or said


def of_api(error: ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Say any other failure."""
    otherwise = "BAD_REQUEST" if error.status < 500 else "ERROR"
    code = CODES.get(error.status, otherwise)
    return _special(error) or {"error": {"message": error.message, "code": code}}


def _special(error: ChatproxyError) -> dict[str, Any] | None:
    """Say what has the same shape everywhere."""
    if isinstance(error, InvalidBody):
        issues = [
            {
                "code": ISSUE_CODES.get(one.kind, "custom"),
                "path": list(one.path),
                "message": one.message,
            }
            for one in error.issues
        ]
        return {"success": False, "error": {"issues": issues, "name": VALIDATOR}}

    if isinstance(error, TooManyRequests):
        said = {"code": "RATE_LIMITED", "message": error.message, "retryAfter": error.retry_after}
        return {"error": said}

    if isinstance(error, LimiterUnavailable):
        return {"error": {"code": "RATE_LIMIT_UNAVAILABLE", "message": error.message}}

    return None
