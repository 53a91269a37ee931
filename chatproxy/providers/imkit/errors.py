"""IMKit's error body and codes, and the failures that only IMKit has."""

from http import HTTPStatus
from typing import Any

from chatproxy.errors import (
    CallerError,
    ChatproxyError,
    Conflict,
    Forbidden,
    InvalidBody,
    MalformedBody,
    NotFound,
    TokenRejected,
    TooManyRequests,
    Unauthenticated,
)


class InvalidAPIKey(Unauthenticated):
    """The platform key is not valid, or not of this app."""


class MissingAPIKey(Unauthenticated):
    """A platform call came without any key."""


class MissingClientKey(Unauthenticated):
    """A call came with neither key."""


class InvalidClientKey(Forbidden):
    """The client key is not valid, or not of this app."""


class PermissionDenied(Forbidden):
    """A client made a platform call."""


class MissingParameter(CallerError):
    """A required header or field is missing."""


class InvalidRoomTags(CallerError):
    """`roomTags` is invalid, or there is no server that knows rooms."""


class ClientNotFound(NotFound):
    """The directory knows no such client."""


class TokenNotFound(NotFound):
    """The client has no such token."""


#: The vendor's codes. An error gets the code of the nearest class in its inheritance.
CODES: dict[type, str] = {
    InvalidAPIKey: "INVALID_API_KEY",
    MissingAPIKey: "MISSING_API_KEY",
    MissingClientKey: "MISSING_CLIENT_KEY",
    InvalidClientKey: "INVALID_CLIENT_KEY",
    PermissionDenied: "PERMISSION_DENIED",
    MissingParameter: "MISSING_PARAMETER",
    InvalidRoomTags: "INVALID_ROOM_TAGS",
    ClientNotFound: "CLIENT_NOT_FOUND",
    TokenNotFound: "TOKEN_NOT_FOUND",
    TokenRejected: "INVALID_TOKEN",
    Unauthenticated: "UNAUTHORIZED",
    Forbidden: "INSUFFICIENT_PERMISSIONS",
    Conflict: "TOKEN_CONFLICT",
    TooManyRequests: "RATE_LIMIT_EXCEEDED",
    MalformedBody: "INVALID_BODY",
}


def error_envelope(error: ChatproxyError, _seconds: float = 0) -> dict[str, Any]:
    """Return the body of a failure; `RC` repeats the status, as in the vendor's newer pages."""
    body = {"code": _code_of(error), "message": error.message}
    return {"RC": error.status, "RM": error.message, "error": body}


def _code_of(error: ChatproxyError) -> str:
    # At the vendor a missing field has a code of its own, other faults in a body share one.
    if isinstance(error, InvalidBody) and error.issues[0].kind == "required":
        return CODES[MissingParameter]

    named = next((CODES[one] for one in type(error).__mro__ if one in CODES), None)

    if named is not None:
        return named

    if error.status == HTTPStatus.BAD_REQUEST:
        return "INVALID_REQUEST"

    known = error.status in frozenset(HTTPStatus)
    return HTTPStatus(error.status).name if known else "REQUEST_FAILED"
