"""Uploads: the file runs through a digest, only its name, size and digest are kept.

The answer's `size` and `sha256` are this stand-in's own, for tests to compare.
"""

from __future__ import annotations

import json
import uuid
from urllib.parse import quote

from .call import Call, Route
from .errors import INPUT, NOT_FOUND, StreamError
from .state import Document

CDN = "https://cdn.sandbox.invalid"


def _upload(call: Call) -> Document:
    """Keep the facts of the part `file`; a server also says for which `user`."""
    if "id" in call.params:
        call.state.channel(call.params["type"], call.params["id"])

    upload = call.upload
    if "file" not in upload:
        raise StreamError(INPUT, "no file in the upload", {"file": "file is required"})

    call.acting_user({"user": _user(upload.get("user", ""))}, "upload")
    facts = upload["file"]
    url = f"{CDN}/attachments/{uuid.uuid4()}/{quote(facts['name'])}"
    call.state.files[url] = facts
    answer: Document = {"file": url, "size": facts["size"], "sha256": facts["sha256"]}
    if facts["content_type"].startswith("image/"):
        answer["thumb_url"] = f"{url}?w=200"

    return answer


def _user(text: str) -> object:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError) as error:
        raise StreamError(INPUT, "user is not valid JSON", {"user": "bad JSON"}) from error


def _delete(call: Call) -> Document:
    if call.state.files.pop(call.query.get("url", ""), None) is None:
        raise StreamError(NOT_FOUND, "no such file", {"url": "unknown"})

    return {}


ROUTES = tuple(
    route
    for kind in ("file", "image")
    for route in (
        Route(
            f"UploadChannel{kind.title()}",
            "POST",
            f"/channels/{{type}}/{{id}}/{kind}",
            _upload,
            upload=True,
        ),
        Route(
            f"DeleteChannel{kind.title()}", "DELETE", f"/channels/{{type}}/{{id}}/{kind}", _delete
        ),
        Route(f"Upload{kind.title()}", "POST", f"/uploads/{kind}", _upload, "common", upload=True),
        Route(f"Delete{kind.title()}", "DELETE", f"/uploads/{kind}", _delete, "common"),
    )
)
