"""Putting credentials into a JSON body on its way out."""

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import request

from chatproxy.endpoints.serving import context, read_json
from chatproxy.errors import MalformedBody, UnsupportedBody
from chatproxy.forwarding.body import CallerBody, HeldInput
from chatproxy.forwarding.headers import Pairs

#: JSON, and the types that are written in it (RFC 6839 section 3.1).
JSON_TYPE = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)


def is_json() -> bool:
    """Say whether the request's content type is JSON."""
    return JSON_TYPE.fullmatch(request.headers.get("Content-Type", "")) is not None


def with_fields(pairs: Pairs, ours: Mapping[str, str]) -> tuple[Pairs, CallerBody]:
    """Return the fields of the request and its body with ours put into the JSON object.

    A request without a body gets one that holds nothing else. The whole body is read,
    so `MAX_JSON_BYTES` bounds it. Raises `UnsupportedBody`, `MalformedBody`,
    `BodyTooLarge`, `TruncatedBody`.
    """
    body = context().body
    said: Any = {}

    if body is not None and not body.ended:
        if not is_json():
            raise UnsupportedBody("The body must be JSON: the credentials are put into it.")

        said = read_json()

    if not isinstance(said, dict):
        raise MalformedBody("The body must be a JSON object.")

    content = json.dumps({**said, **ours}, separators=(",", ":")).encode()

    if not any(name.lower() == "content-type" for name, _ in pairs):
        pairs = [*pairs, ("Content-Type", "application/json")]

    return pairs, CallerBody(HeldInput(content), len(content))
