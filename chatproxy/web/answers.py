"""Answers of our own that more than one view gives."""

from typing import Any

from flask import Response, jsonify

from chatproxy.web.relay import Relay


def not_sniffed(answer: Response) -> Response:
    """Keep browsers from taking JSON that holds what users write for HTML (Fetch standard)."""
    if not isinstance(answer, Relay):  # which has fields of its own
        answer.headers["X-Content-Type-Options"] = "nosniff"

    return answer


def private(content: Any, status: int = 200) -> Response:
    """Answer with JSON that no cache may store: it holds a token, or depends on who asks."""
    answer = jsonify(content)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer
