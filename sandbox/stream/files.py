"""Uploads: a file is hashed while it runs through; its name, size and digest are kept.

The answer's `size` and `sha256` are this stand-in's own, for tests to compare.
"""

import hashlib
import io
import json
import uuid
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from ..answers import Request
from ..bodies import limited
from .call import Call, chat, common
from .errors import INPUT, StreamError
from .state import Document, found

UPLOAD_LIMIT = 100 * 1024 * 1024
# Of what the parser may hold back; a piece from the socket has 256 KiB at most.
HELD_LIMIT = 1024 * 1024
CDN = "https://cdn.sandbox.invalid"


class _Digest(io.BytesIO):
    """Stands where the parser would have a temporary file, and holds nothing."""

    def __init__(self, **_: object) -> None:
        super().__init__()
        self.size = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return len(data)


def _read_upload(request: Request) -> Document:
    """Return the text fields of an upload, and the facts of its `file`. Raises StreamError 4."""
    content_type = "".join(request.head.values("content-type"))
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise StreamError(INPUT, "upload: not multipart/form-data with a boundary", "file")

    parser = MultiPartParser(cast(Any, _Digest), max_form_memory_size=HELD_LIMIT)
    pieces = limited(request, UPLOAD_LIMIT)
    # As a file whose reads give what comes next, whatever size is asked for.
    body: Any = SimpleNamespace(read=lambda size=-1: next(pieces, b""))
    try:
        texts, files = parser.parse(body, options["boundary"].encode("latin-1"), None)
    except (ValueError, RequestEntityTooLarge) as error:
        raise StreamError(INPUT, f"upload: {error}", "file") from error

    return {**texts.to_dict(), "file": files.get("file")}


def _upload(call: Call) -> Document:
    """Keep the facts of the part `file`; a server also says for which `user`."""
    if "id" in call.params:
        call.state.channel(call.params["type"], call.params["id"])

    file = call.body["file"]
    if file is None:
        raise StreamError(INPUT, "no file in the upload", "file")

    call.acting_user({"user": json.loads(call.body.get("user") or "null")}, "upload")
    url = f"{CDN}/attachments/{uuid.uuid4()}/{quote(file.filename)}"
    facts = {"file": url, "size": file.stream.size, "sha256": file.stream.sha256.hexdigest()}
    call.state.files[url] = facts
    is_image = file.mimetype.startswith("image/")
    return {**facts, "thumb_url": f"{url}?w=200"} if is_image else facts


def _delete(call: Call) -> Document:
    url = call.query.get("url", "")
    found(call.state.files, url, "file")
    del call.state.files[url]
    return {}


CHANNEL = "/channels/{type}/{id}"
ROUTES = (
    *chat("POST", f"{CHANNEL}/file", _upload, read=_read_upload),
    *chat("POST", f"{CHANNEL}/image", _upload, read=_read_upload),
    *chat("DELETE", f"{CHANNEL}/file", _delete),
    *common("POST", "/uploads/file", _upload, read=_read_upload),
    *common("POST", "/uploads/image", _upload, read=_read_upload),
    *common("DELETE", "/uploads/file", _delete),
)
