"""The client configuration: a JSON object with an object for each client type."""

import codecs
import json
from collections.abc import Iterator, Mapping
from typing import Any

from chatproxy.formats import strictjson

LARGEST_DOCUMENT = 1024 * 1024

Document = Mapping[str, Mapping[str, Any]]


class DocumentError(Exception):
    """The document cannot be used. The text says where and how to fix it."""


def parse(content: bytes) -> Document:
    """Return the document; raise `DocumentError`."""
    if len(content) > LARGEST_DOCUMENT:
        raise DocumentError(f"larger than {LARGEST_DOCUMENT} bytes: make it smaller")

    try:
        document = strictjson.read(content.removeprefix(codecs.BOM_UTF8))
    except UnicodeDecodeError as error:
        raise DocumentError("not UTF-8 text: save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise DocumentError(f"line {error.lineno}: not valid JSON ({error.msg})") from error
    except strictjson.LimitError as error:
        raise DocumentError(f"too large or nested too deeply: {error}") from error
    except ValueError as error:
        raise DocumentError(f"not valid JSON ({error})") from error

    # What the inner ones contain is up to the clients.
    if isinstance(document, dict) and all(isinstance(one, dict) for one in document.values()):
        return document

    raise DocumentError('must be an object of objects, such as {"web": {"theme": {}}}')


def problems(content: bytes) -> Iterator[str]:
    """Yield what is wrong with the document."""
    try:
        parse(content)
    except DocumentError as error:
        yield f"cannot be used: {error}."
