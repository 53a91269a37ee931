"""Putting credentials into a JSON body on its way out."""

import json
import re
from collections.abc import Mapping

from flask import request

from chatproxy.web.serving import read_content, read_object
from chatproxy.errors import UnsupportedBody
from chatproxy.forwarding.body import CallerBody
from chatproxy.forwarding.headers import Pairs

#: JSON, and the types that are written in it (RFC 6839 section 3.1).
JSON_TYPE = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)

#: Fields that describe a body (RFC 9110 section 8; RFC 9530).
OF_THE_OLD_BODY = frozenset(
    {"content-type", "content-md5", "digest", "content-digest", "repr-digest"}
)


def is_json() -> bool:
    """Say whether the request's content type is JSON."""
    return JSON_TYPE.fullmatch(request.headers.get("Content-Type", "")) is not None


def with_fields(pairs: Pairs, ours: Mapping[str, str]) -> tuple[Pairs, CallerBody]:
    """Return the fields of the request and its body with ours put into the JSON object.

    A request without a body gets one that holds nothing else. The whole body is read,
    so `MAX_JSON_BYTES` bounds it, and written anew: fields that described the old one
    go. Raises `UnsupportedBody`, `MalformedBody`, `BodyTooLarge`, `TruncatedBody`.
    """
    if "Content-Encoding" in request.headers:
        raise UnsupportedBody("The body must not be coded: the credentials are put into it.")

    if not is_json() and read_content():
        raise UnsupportedBody("The body must be JSON: the credentials are put into it.")

    said = read_object() if is_json() else {}
    content = json.dumps({**said, **ours}, separators=(",", ":")).encode()
    kept = [(name, value) for name, value in pairs if name.lower() not in OF_THE_OLD_BODY]
    return [*kept, ("Content-Type", "application/json")], CallerBody.held(content)
