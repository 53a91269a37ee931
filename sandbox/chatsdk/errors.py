"""What the server answers where it refuses: the token routes a message, all others a code too."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from ..answers import Answer, json_answer
from .validation import Issue

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


class Refusal(Exception):
    """An error answer: its status and its document."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(status, document)
        self.status = status
        self.document = document

    def answer(self) -> Answer:
        """Return it as an answer."""
        return json_answer(self.status, self.document)


def of_tokens(status: int, message: str) -> Refusal:
    """Refuse on a token route."""
    return Refusal(status, {"error": {"message": message}})


def of_check(message: str, hint: str) -> Refusal:
    """Say that a token did not pass the check."""
    return Refusal(401, {"valid": False, "error": {"message": message, "hint": hint}})


def of_api(status: int, message: str) -> Refusal:
    """Refuse anywhere else."""
    error = {"message": message, "code": CODES.get(status, "ERROR")}
    return Refusal(status, {"error": error})


def of_body(issues: Sequence[Issue]) -> Refusal:
    """Say what is wrong with a body, field by field."""
    shown = [vars(issue) for issue in issues]
    return Refusal(400, {"success": False, "error": {"issues": shown, "name": "ZodError"}})


def of_status(status: int) -> Answer:
    """Return an error for a bare status; below 400 there is none to tell."""
    if status < 400:
        return json_answer(status, {})

    if status == 429:
        limited = {"code": "RATE_LIMITED", "message": "Too many requests", "retryAfter": 1}
        return json_answer(status, {"error": limited}, LIMITED)

    known = status in frozenset(HTTPStatus)
    return of_api(status, HTTPStatus(status).phrase if known else "Request failed").answer()
