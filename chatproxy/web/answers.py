"""Answers of our own that more than one view gives."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask, Response, current_app, jsonify
from flask.json.provider import DefaultJSONProvider

from chatproxy.turns import Turns
from chatproxy.web.relay import Relay
from chatproxy.web.request_log import StartResponse

#: Characters of an answer that are written before other requests get their turn.
TURN = 128 * 1024


#: Statuses whose answers have no body, or not the one that they name (RFC 9110 section 6.4.1).
BODILESS = frozenset({204, 304})


class JsonAnswer(Response):
    """An answer of our own in JSON. Its length is known, and no field of it is to be rewritten."""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Start the answer; return its body."""
        if environ["REQUEST_METHOD"] == "HEAD" or self.status_code in BODILESS:
            return super().__call__(environ, start_response)

        # Werkzeug goes through the fields of each answer for those that it would rewrite.
        start_response(self.status, self.headers.to_wsgi_list())
        return self.response  # type: ignore[return-value]  # the text is encoded already


class Json(DefaultJSONProvider):
    """Flask's JSON without white space, and in our order; one encoder writes all of it."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        encoder = json.JSONEncoder(default=self.default, separators=(",", ":"))
        self._encode = encoder.encode

    def dumps(self, obj: Any, **_: Any) -> str:
        """Return a value in JSON."""
        return self._encode(obj)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Answer with what `jsonify` was given."""
        text = self._encode(self._prepare_response_obj(args, kwargs))
        return JsonAnswer(f"{text}\n", mimetype=self.mimetype)


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
    return current_app.json.dumps(value)
