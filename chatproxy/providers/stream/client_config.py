"""The mounted client configuration: read, check, swap when it changes.

The document is a JSON object: a key for each client type, an object below it. A
cluster replaces it while the service runs (a config map's `..data` link is
swapped, or the file is written in place), so it is read again at most once a
second, when somebody asks. A change that cannot be used leaves the last good
document in force.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields

log = logging.getLogger(__name__)

LARGEST_DOCUMENT = 1024 * 1024

#: Seconds for which an answer may be older than the file.
FRESH = 1.0

Document = Mapping[str, Mapping[str, Any]]


class DocumentError(Exception):
    """The document cannot be used. The text names the place and the mend."""


class _ByClientType(Schema):
    """An object of objects; what is in the inner ones is the client's own matter."""

    document = fields.Dict(fields.String(), fields.Dict(fields.String()), required=True)


def parse(content: bytes) -> Document:
    """Return the document; raise `DocumentError` with line and mend."""
    if len(content) > LARGEST_DOCUMENT:
        raise DocumentError(f"larger than {LARGEST_DOCUMENT} bytes: make it smaller")

    try:
        document = json.loads(content.decode("utf-8"))
        return _ByClientType().load({"document": document})["document"]  # type: ignore[no-any-return]
    except UnicodeDecodeError as error:
        raise DocumentError("not UTF-8 text: save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise DocumentError(f"line {error.lineno}: not valid JSON ({error.msg})") from error
    except RecursionError as error:
        raise DocumentError("nested too deeply: make it flatter") from error
    except ValidationError as error:
        raise DocumentError(
            'must be an object of objects, such as {"web": {"theme": {}}}'
        ) from error


def problems(name: str, path: str) -> Iterator[str]:
    """Yield the problem with the document at the start, if there is one."""
    try:
        parse(Path(path).read_bytes())
    except OSError as error:
        yield f"{name}: {path} cannot be read ({error.strerror}). Name a readable JSON file."
    except DocumentError as error:
        yield f"{name}: {path}: {error}."


class ClientConfig:
    """The document in force. `fault` tells why a newer one is not used, or is None."""

    def __init__(self, path: str | None, monotonic: Callable[[], float]) -> None:
        self._path = None if path is None else Path(path)
        self._monotonic = monotonic
        self._checked = float("-inf")
        self._content: bytes | None = None
        self._document: Document = {}
        self.fault: str | None = None
        self.refresh()

    def for_client_type(self, client_type: str) -> dict[str, Any]:
        """Return a copy of the client type's object, empty where there is none."""
        self.refresh()
        return dict(self._document.get(client_type, {}))

    def refresh(self) -> None:
        """Look at the file again where the last look is older than a second."""
        if self._path is None or self._monotonic() - self._checked < FRESH:
            return

        self._checked = self._monotonic()

        try:
            content = self._path.read_bytes()
        except OSError as error:
            self._content = None  # so that the same content, when it is back, is taken anew
            self._keep_last_good(f"cannot be read ({error.strerror})")
            return

        if content != self._content:
            self._take(content)

    def _take(self, content: bytes) -> None:
        self._content = content

        try:
            self._document = parse(content)
        except DocumentError as error:
            self._keep_last_good(str(error))
            return

        self.fault = None
        log.info("client configuration in force", extra={"config": {"path": str(self._path)}})

    def _keep_last_good(self, fault: str) -> None:
        """Note the fault; log it once, not at each look."""
        if fault != self.fault:
            log.error(
                "client configuration refused, the last good one stays in force",
                extra={"config": {"path": str(self._path), "fault": fault}},
            )

        self.fault = fault
