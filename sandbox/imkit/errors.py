"""The one shape of all answers: `RC` is 0 or the HTTP status, what failed has a code as well."""

from http import HTTPStatus
from typing import Any

from ..answers import Answer, Refusal, json_answer, phrase

STATUSES = {
    "INVALID_REQUEST": 400,
    "INVALID_BODY": 400,
    "MISSING_PARAMETER": 400,
    "INVALID_API_KEY": 401,
    "INVALID_TOKEN": 401,
    "INVALID_CLIENT_KEY": 403,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "CLIENT_NOT_FOUND": 404,
    "ROOM_NOT_FOUND": 404,
    "TOKEN_NOT_FOUND": 404,
    "CONFLICT": 409,
    "TOKEN_CONFLICT": 409,
}
# Where the vendor's code is not the name of the status.
NAMES = {400: "INVALID_REQUEST", 403: "PERMISSION_DENIED", 429: "RATE_LIMIT_EXCEEDED"}


class IMKitError(Refusal):
    """One of the codes in `STATUSES`, and what is wrong."""

    def __init__(self, code: str, message: str) -> None:
        status = STATUSES[code]
        super().__init__(status, _failed(status, code, message))


def success(result: Any) -> Answer:
    """Return the answer to what was done."""
    return json_answer(200, {"RC": 0, "RM": "OK", "result": result})


def of_status(status: int) -> Answer:
    """Return an error for a bare status.

    One that says success has an `RC` that does not: whoever looks at the status alone is misled.
    """
    if 300 <= status < 400:
        return json_answer(status, {})

    told = 500 if status < 300 else status
    name = HTTPStatus(told).name if told in frozenset(HTTPStatus) else "ERROR"
    message = phrase(told, "Request failed")
    return json_answer(status, _failed(told, NAMES.get(told, name), message))


def _failed(status: int, code: str, message: str) -> dict[str, Any]:
    return {"RC": status, "RM": message, "error": {"code": code, "message": message}}
