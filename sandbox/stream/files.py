"""Uploaded files, of which only name, size and digest are kept.

The answer's `size` and `sha256` are this stand-in's own, for tests to compare.
"""

from __future__ import annotations

import json
import uuid
from urllib.parse import quote

from .call import Call, endpoint
from .errors import INPUT, NOT_FOUND, StreamError
from .state import Document
from .uploads import read_upload

CDN = "https://cdn.sandbox.invalid"


def _upload(call: Call) -> Document:
    """Keep the facts of the part `file`; a server also says for which `user`."""
    if "id" in call.params:
        call.state.channel(call.params["type"], call.params["id"])

    facts = call.body["file"]
    if facts is None:
        raise StreamError(INPUT, "no file in the upload", {"file": "file is required"})

    # What is no JSON is a ValueError, and with that bad input.
    call.acting_user({"user": json.loads(call.body.get("user") or "null")}, "upload")
    url = f"{CDN}/attachments/{uuid.uuid4()}/{quote(facts['name'])}"
    call.state.files[url] = facts
    answer: Document = {"file": url, "size": facts["size"], "sha256": facts["sha256"]}
    if facts["content_type"].startswith("image/"):
        answer["thumb_url"] = f"{url}?w=200"

    return answer


def _delete(call: Call) -> Document:
    if call.state.files.pop(call.query.get("url", ""), None) is None:
        raise StreamError(NOT_FOUND, "no such file", {"url": "unknown"})

    return {}


CHANNEL = "/channels/{type}/{id}"
ROUTES = (
    *endpoint("UploadChannelFile", "POST", f"{CHANNEL}/file", _upload, read=read_upload),
    *endpoint("UploadChannelImage", "POST", f"{CHANNEL}/image", _upload, read=read_upload),
    *endpoint("DeleteChannelFile", "DELETE", f"{CHANNEL}/file", _delete),
    *endpoint("UploadFile", "POST", "/uploads/file", _upload, family="common", read=read_upload),
    *endpoint("UploadImage", "POST", "/uploads/image", _upload, family="common", read=read_upload),
    *endpoint("DeleteFile", "DELETE", "/uploads/file", _delete, family="common"),
)
