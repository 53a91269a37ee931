"""What the server answers where it refuses: the token routes a message, all others a code too."""

from __future__ import annotations

from collections.abc import Sequence

from ..answers import Answer, Refusal, json_answer, phrase

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    500: "INTERNAL_ERROR",
}
LIMITED = (
    (b"retry-after", b"1"),
    (b"x-ratelimit-limit", b"600"),
    (b"x-ratelimit-remaining", b"0"),
    (b"x-ratelimit-reset", b"1"),
)


def of_tokens(status: int, message: str) -> Refusal:
    """Refuse on a token route."""
    return Refusal(status, {"error": {"message": message}})


def of_api(status: int, message: str) -> Refusal:
    """Refuse anywhere else."""
    return Refusal(status, {"error": {"message": message, "code": CODES.get(status, "ERROR")}})


def of_body(fields: Sequence[str]) -> Refusal:
    """Say which fields of a body are wrong, as the vendor's validator does; none means all of it."""
    issues = [
        {"code": "invalid_type", "path": [name] if name else [], "message": "Invalid input"}
        for name in fields or ("",)
    ]
    return Refusal(400, {"success": False, "error": {"issues": issues, "name": "ZodError"}})


def of_status(status: int) -> Answer:
    """Return an error for a bare status; below 400 there is none to tell."""
    if status < 400:
        return json_answer(status, {})

    if status == 429:
        limited = {"code": "RATE_LIMITED", "message": "Too many requests", "retryAfter": 1}
        return json_answer(status, {"error": limited}, LIMITED)

    return of_api(status, phrase(status, "Request failed")).answer()
