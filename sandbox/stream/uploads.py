"""Uploads run through: a file is hashed and never held."""

from __future__ import annotations

import hashlib

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from ..answers import Request
from ..bodies import limited
from .errors import INPUT, StreamError
from .state import Document

UPLOAD_LIMIT = 100 * 1024 * 1024
# Of what the decoder may hold back; a piece from the socket has 256 KiB at most.
HELD_LIMIT = 1024 * 1024


def read_upload(request: Request) -> Document:
    """Return the text fields of an upload, and the facts of its `file`. Raises StreamError 4."""
    parts = _Parts()
    try:
        decoder = MultipartDecoder(_boundary(request), max_form_memory_size=HELD_LIMIT)
        for piece in limited(request, UPLOAD_LIMIT):
            decoder.receive_data(piece)
            parts.take_all(decoder)

        decoder.receive_data(None)
        parts.take_all(decoder)
    except (ValueError, RequestEntityTooLarge) as error:
        raise StreamError(INPUT, f"upload: {error}", {"file": "bad multipart"}) from error

    return parts.document()


def _boundary(request: Request) -> bytes:
    content_type = "".join(request.head.values("content-type"))
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise ValueError("Content-Type is not multipart/form-data with a boundary")

    return options["boundary"].encode("latin-1")


class _Parts:
    """What came of an upload so far."""

    def __init__(self) -> None:
        self._texts: dict[str, bytes] = {}
        self._file: Document = {}
        self._digest = hashlib.sha256()
        self._part: Field | File | None = None

    def take_all(self, decoder: MultipartDecoder) -> None:
        """Take what the decoder can tell by now."""
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            if isinstance(event, Field | File):
                self._open(event)
            elif isinstance(event, Data):
                self._take(event.data)

    def document(self) -> Document:
        """Return all of it."""
        texts = {name: value.decode("utf-8", "replace") for name, value in self._texts.items()}
        file = {**self._file, "sha256": self._digest.hexdigest()} if self._file else None
        return {**texts, "file": file}

    def _open(self, part: Field | File) -> None:
        self._part = part
        if isinstance(part, Field):
            self._texts[part.name] = b""
        elif part.name == "file":
            kind = part.headers.get("content-type", "application/octet-stream")
            self._file = {"name": part.filename, "size": 0, "content_type": kind}
            self._digest = hashlib.sha256()

    def _take(self, data: bytes) -> None:
        if isinstance(self._part, Field):
            self._texts[self._part.name] += data
        elif self._part is not None and self._part.name == "file":
            self._file["size"] += len(data)
            self._digest.update(data)
