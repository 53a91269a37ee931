"""The client configuration: a JSON object with an object for each client type."""

from collections.abc import Iterator, Mapping
from typing import Any

from chatproxy.formats import json_document
from chatproxy.formats.json_document import DocumentError

SHAPE = 'the document must be an object of objects, such as {"web": {"theme": {}}}'

Document = Mapping[str, Mapping[str, Any]]


def parse(content: bytes) -> Document:
    """Return the document; raise `DocumentError` with every fault."""
    document = json_document.read(content)

    if not isinstance(document, dict):
        raise DocumentError(SHAPE)

    # What the inner ones contain is up to the clients.
    if others := [name for name, one in document.items() if not isinstance(one, dict)]:
        wrong = [((name,), f"is no object: {SHAPE}") for name in others]
        raise DocumentError(*json_document.located(content, wrong))

    return document


def problems(content: bytes) -> Iterator[str]:
    """Yield what is wrong with the document."""
    try:
        parse(content)
    except DocumentError as error:
        yield from (f"cannot be used: {fault}." for fault in error.faults)
