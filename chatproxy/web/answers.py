"""Answers of our own that more than one view gives."""

from typing import Any

from flask import Response, jsonify


def private(content: Any, status: int = 200) -> Response:
    """Answer with JSON that no cache may store: it holds a token, or depends on who asks."""
    answer = jsonify(content)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer
