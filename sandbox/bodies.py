"""Request bodies: with a limit, as JSON, and with the fields that an endpoint takes."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .answers import Request

SMALL = 1024 * 1024


class BodyTooLarge(Exception):
    """The body is, or says that it is, larger than is read."""


class Field(NamedTuple):
    """A field of a JSON object; an optional one may be absent, but not null."""

    name: str
    kind: type
    required: bool = False


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


def small(request: Request) -> bytes:
    """Return a body of which little is expected. Raises BodyTooLarge."""
    return b"".join(limited(request, SMALL))


def read_json(body: bytes | str) -> Any:
    """Return the value that a body holds. Raises ValueError."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def missing(document: dict[str, Any], fields: Sequence[Field]) -> list[str]:
    """Return the required fields that are not there."""
    return [field.name for field in fields if field.required and field.name not in document]


def wrong(document: dict[str, Any], fields: Sequence[Field]) -> list[str]:
    """Return the fields that are there and are not what they must be."""
    return [
        field.name
        for field in fields
        if not isinstance(document.get(field.name, field.kind()), field.kind)
    ]
