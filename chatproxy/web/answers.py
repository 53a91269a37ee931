"""Answers of our own that more than one view gives."""

from collections.abc import Iterator
from typing import Any

from flask import Response, current_app, jsonify

from chatproxy.turns import Turns
from chatproxy.web.relay import Relay

#: Characters of an answer that are written before other requests get their turn.
TURN = 128 * 1024


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


def private_listing(content: Any) -> Response:
    """Answer as `private` does with rows, a list or an iterator, within any number of objects.

    The JSON is the same. It is written row by row, since 100 users may have megabytes.
    """
    turns, pieces = Turns(TURN), []

    for piece in _json_pieces(content):
        pieces.append(piece)
        turns.count(len(piece))

    answer = Response("".join(pieces) + "\n", mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _json_pieces(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        yield "{"

        for place, name in enumerate(sorted(content)):
            yield f"{',' if place else ''}{_json(name)}:"
            yield from _json_pieces(content[name])

        yield "}"
    elif isinstance(content, list | Iterator):
        yield "["

        for place, row in enumerate(content):
            yield f"{',' if place else ''}{_json(row)}"

        yield "]"
    else:
        yield _json(content)


def _json(value: Any) -> str:
    return current_app.json.dumps(value, separators=(",", ":"))
