"""A JSON document that people write: what is wrong with it, and in which line."""

import codecs
import json
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from chatproxy.formats import json_lines, strictjson
from chatproxy.formats.json_lines import Place

#: Bytes of a document.
LARGEST = 1024 * 1024

#: Faults that are told; a document of the wrong kind has thousands.
MOST_FAULTS = 50
LONGEST_NAME = 64


class DocumentError(Exception):
    """The document cannot be used. `faults` say where, and how to fix it."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def read(content: bytes) -> Any:
    """Return what is in the document; raise `DocumentError` with every fault of its form."""
    if len(content) > LARGEST:
        raise DocumentError(f"larger than {LARGEST} bytes: make it smaller")

    content = content.removeprefix(codecs.BOM_UTF8)

    try:
        return strictjson.read(content)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DocumentError(f"line {line}: not UTF-8 text: save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise DocumentError(f"line {error.lineno}: not valid JSON ({error.msg})") from error
    except strictjson.LimitError as error:
        raise DocumentError(f"too large or nested too deeply: {error}") from error
    except ValueError as error:
        raise DocumentError(*_of_form(content) or [f"not valid JSON ({error})"]) from error


def located(content: bytes, faults: Sequence[tuple[Place, str]]) -> list[str]:
    """Return a line for each fault, with where in the document it is; only the first ones."""
    found = json_lines.read(_text_of(content))
    told = [(found.line_of(place), f"{_named(place)}: {text}") for place, text in faults]
    return _first([f"line {line}: {text}" for line, text in sorted(told, key=itemgetter(0))])


def _first(told: list[str]) -> list[str]:
    left = len(told) - MOST_FAULTS
    return [*told[:MOST_FAULTS], f"and {left} more"] if left > 0 else told


def _named(place: Place) -> str:
    return ".".join(_printable(str(one)) for one in place)


def _printable(name: str) -> str:
    cut = name[:LONGEST_NAME]
    shown = cut if cut.isprintable() else ascii(cut)[1:-1]
    return (shown or '""') + ("…" if len(name) > LONGEST_NAME else "")


def _of_form(content: bytes) -> list[str]:
    # The JSON parser does not say where it was.
    try:
        found = json_lines.read(_text_of(content))
    except ValueError:  # behind it the document is not even JSON
        return []

    return _first([f"line {line}: {_named(place)} {text}" for place, line, text in found.faults])


def _text_of(content: bytes) -> str:
    return content.removeprefix(codecs.BOM_UTF8).decode()
