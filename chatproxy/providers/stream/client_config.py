"""The mounted client configuration, read again when it changes.

The document is a JSON object with an object for each client type. A cluster may replace it
while the service runs, so a request reads the file again if the last look is more than a
second old. If the new document is invalid, the last good one stays in force.
"""

import codecs
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from chatproxy.formats import strictjson

log = logging.getLogger(__name__)

LARGEST_DOCUMENT = 1024 * 1024

#: Seconds between two looks at the file. It is read, not watched: a cluster swaps the `..data`
#: link of a mounted config map, and then the file's own entry does not change.
CHECK_INTERVAL = 1.0

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


def problems(name: str, path: str) -> Iterator[str]:
    """Yield the problem with the document, for the check at start-up."""
    try:
        parse(Path(path).read_bytes())
    except OSError as error:
        yield f"{name}: {path} cannot be read ({error.strerror}). Name a readable JSON file."
    except DocumentError as error:
        yield f"{name}: {path}: {error}."


class ClientConfig:
    """The document in force. `fault` says why a newer one is not used, or is None."""

    def __init__(self, path: str | None, monotonic: Callable[[], float]) -> None:
        self._path = None if path is None else Path(path)
        self._monotonic = monotonic
        self._checked = float("-inf")
        self._content: bytes | None = None
        self._document: Document = {}
        self.fault: str | None = None
        self.refresh()

    def for_client_type(self, client_type: str) -> dict[str, Any]:
        """Return a copy of the client type's object, or an empty one."""
        self.refresh()
        return dict(self._document.get(client_type, {}))

    def refresh(self) -> None:
        """Read the file again, at most once a second."""
        if self._path is None or self._monotonic() - self._checked < CHECK_INTERVAL:
            return

        self._checked = self._monotonic()

        try:
            content = self._path.read_bytes()
        except OSError as error:
            # When the file comes back unchanged it must count as new, to clear the fault.
            self._content = None
            self._keep_last_good(f"cannot be read ({error.strerror})")
            return

        if content != self._content:
            self._use(content)

    def _use(self, content: bytes) -> None:
        self._content = content

        try:
            self._document = parse(content)
        except DocumentError as error:
            self._keep_last_good(str(error))
            return

        self.fault = None
        log.info("client configuration in force", extra={"config": {"path": str(self._path)}})

    def _keep_last_good(self, fault: str) -> None:
        # Logged once, not at each look.
        if fault != self.fault:
            log.error(
                "client configuration refused, the last good one stays in force",
                extra={"config": {"path": str(self._path), "fault": fault}},
            )

        self.fault = fault
