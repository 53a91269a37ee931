"""Request bodies with a limit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .answers import Request


class BodyTooLarge(Exception):
    """The body is, or says that it is, larger than is read."""


def limited(request: Request, most: int) -> Iterator[bytes]:
    """Return the body's pieces; BodyTooLarge at once where its length is declared too large."""
    head = request.head
    if head.framing == "sized" and int(head.values("content-length")[0]) > most:
        raise BodyTooLarge

    size = 0
    for piece in request.pieces():
        size += len(piece)
        if size > most:
            raise BodyTooLarge

        yield piece


def read_json(body: bytes) -> Any:
    """Return the value that a body holds. Raises ValueError."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
