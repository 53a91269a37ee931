"""ChatSDK's error bodies, for failures that chatproxy itself reports.

There are four shapes. An invalid body lists its issues, in the shape of the validator that
the vendor uses. The token routes have only a message. Everything else has a code as well, and a
refused credential at `/api/auth` has a suggestion, too.
"""

from collections.abc import Mapping
from typing import Any

from chatproxy.errors import (
    ChatproxyError,
    FaultKind,
    InvalidBody,
    LimiterUnavailable,
    TokenExpired,
    TooManyRequests,
)

#: The vendor's code for a status. Other statuses are BAD_REQUEST below 500, else ERROR.
CODES = {401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND", 500: "INTERNAL_ERROR"}

#: The codes of Zod, the validator that the vendor uses.
ISSUE_CODES: Mapping[FaultKind, str] = {
    "required": "invalid_type",
    "type": "invalid_type",
    "url": "invalid_string",
    "email": "invalid_string",
    "too short": "too_small",
    "too long": "too_big",
}
VALIDATOR = "ZodError"

#: The vendor sends a `hint` beside the message of a refused token.
HINT = "Get new tokens from your backend. REST calls take `token`, the WebSocket takes `wsToken`."

NO_REFRESH_TOKEN = "Missing refresh token"  # noqa: S105 - a message
CONNECT_CODES = {"Missing API key": "MISSING_API_KEY", "Invalid API key": "INVALID_API_KEY"}
CONNECT_SUGGESTION = "Send a platform key of this sidecar as X-API-Key, from a server."
RENEW_SUGGESTION = "Send the refreshToken of the last answer, or connect again."


def token_envelope(error: ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Return the body for the routes that issue tokens."""
    return _common_envelope(error) or {"error": {"message": error.message}}


def validation_envelope(error: ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Return the body for the routes that validate tokens."""
    if error.status == 401:
        return {"valid": False, "error": {"message": error.message, "hint": HINT}}

    return token_envelope(error, _seconds)


def api_envelope(error: ChatproxyError, _seconds: float) -> dict[str, Any]:
    """Return the body for all other routes."""
    otherwise = "BAD_REQUEST" if error.status < 500 else "ERROR"
    code = CODES.get(error.status, otherwise)
    return _common_envelope(error) or {"error": {"message": error.message, "code": code}}


def connect_envelope(error: ChatproxyError, seconds: float) -> dict[str, Any]:
    """Return the body for the route where a service connects a user."""
    if error.status != 401:
        return api_envelope(error, seconds)

    return _suggesting(CONNECT_CODES.get(error.message, CODES[401]), error, CONNECT_SUGGESTION)


def refresh_envelope(error: ChatproxyError, seconds: float) -> dict[str, Any]:
    """Return the body for the route that takes a refresh token."""
    if error.status != 401:
        return api_envelope(error, seconds)

    code = "REFRESH_TOKEN_EXPIRED" if isinstance(error, TokenExpired) else "INVALID_REFRESH_TOKEN"
    code = "MISSING_REFRESH_TOKEN" if error.message == NO_REFRESH_TOKEN else code
    return _suggesting(code, error, RENEW_SUGGESTION)


def _suggesting(code: str, error: ChatproxyError, suggestion: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": error.message, "suggestion": suggestion}}


def _common_envelope(error: ChatproxyError) -> dict[str, Any] | None:
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
        content = {"code": "RATE_LIMITED", "message": error.message}
        return {"error": content | {"retryAfter": error.retry_after}}

    if isinstance(error, LimiterUnavailable):
        return {"error": {"code": "RATE_LIMIT_UNAVAILABLE", "message": error.message}}

    return None
