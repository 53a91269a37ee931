"""The client configuration: a JSON object with an object for each client type."""

import codecs
import json
from collections.abc import Iterator, Mapping
from typing import Any

from chatproxy.formats import strictjson, yaml_text

LARGEST_DOCUMENT = 1024 * 1024

#: Faults that are told; a document of the wrong kind has thousands.
MOST_FAULTS = 20

SHAPE = 'the document must be an object of objects, such as {"web": {"theme": {}}}'
LONGEST_NAME = 64

Document = Mapping[str, Mapping[str, Any]]


class DocumentError(Exception):
    """The document cannot be used. `faults` say where, and how to fix it."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def parse(content: bytes) -> Document:
    """Return the document; raise `DocumentError` with every fault."""
    if len(content) > LARGEST_DOCUMENT:
        raise DocumentError(f"larger than {LARGEST_DOCUMENT} bytes: make it smaller")

    content = content.removeprefix(codecs.BOM_UTF8)

    try:
        document = strictjson.read(content)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{_line_at(content, error)}not UTF-8 text: save it as UTF-8"
        ) from error
    except json.JSONDecodeError as error:
        raise DocumentError(f"line {error.lineno}: not valid JSON ({error.msg})") from error
    except strictjson.LimitError as error:
        raise DocumentError(f"too large or nested too deeply: {error}") from error
    except ValueError as error:
        raise DocumentError(*_repeated(content) or [f"not valid JSON ({error})"]) from error

    if not isinstance(document, dict):
        raise DocumentError(SHAPE)

    # What the inner ones contain is up to the clients.
    if others := [name for name, one in document.items() if not isinstance(one, dict)]:
        raise DocumentError(
            *(f"{_place_of(content, one)}: is no object: {SHAPE}" for one in others[:MOST_FAULTS])
        )

    return document


def problems(content: bytes) -> Iterator[str]:
    """Yield what is wrong with the document."""
    try:
        parse(content)
    except DocumentError as error:
        yield from (f"cannot be used: {fault}." for fault in error.faults[:MOST_FAULTS])


def _line_at(content: bytes, error: UnicodeDecodeError) -> str:
    line = content.count(b"\n", 0, error.start) + 1
    return f"line {line}: "


def _repeated(content: bytes) -> list[str]:
    # The JSON parser does not say where it was.
    try:
        found = yaml_text.read(content)
    except yaml_text.YamlError:
        return []

    return [
        f"line {line}: {'.'.join(map(str, place))} is there twice, first in line "
        f"{found.line_of(place)}"
        for place, line in found.repeated
    ]


def _place_of(content: bytes, name: str) -> str:
    try:
        return f"line {yaml_text.read(content).line_of((name,))}: {name[:LONGEST_NAME]}"
    except yaml_text.YamlError:
        return name[:LONGEST_NAME]
