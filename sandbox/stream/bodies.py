"""Request bodies: JSON held in memory, uploads only run through; both with a limit."""

from __future__ import annotations

from ..answers import Request
from ..bodies import BodyTooLarge, limited, read_json
from ..multipart import MultipartError, boundary_of, read_parts
from .call import Call, Route
from .errors import INPUT, KINDS, TOO_BIG, StreamError
from .state import Document

JSON_LIMIT = 8 * 1024 * 1024
UPLOAD_LIMIT = 100 * 1024 * 1024


def read_body(request: Request, route: Route, call: Call) -> None:
    """Put a request's JSON or upload into the call. Raises StreamError 4 or 22."""
    try:
        if route.upload:
            call.upload = _read_upload(request)
        elif request.head.framing != "none":
            call.body = _read_json(request)
    except BodyTooLarge as error:
        raise StreamError(TOO_BIG, KINDS[TOO_BIG].meaning) from error


def _read_json(request: Request) -> Document:
    body = b"".join(limited(request, JSON_LIMIT))
    try:
        document = read_json(body or b"{}")
    except ValueError as error:
        raise StreamError(INPUT, "body is not valid JSON", {"body": "bad JSON"}) from error

    if not isinstance(document, dict):
        raise StreamError(INPUT, "body must be an object", {"body": "must be an object"})

    return document


def _read_upload(request: Request) -> Document:
    content_type = (request.head.values("content-type") or [""])[0]
    try:
        boundary = boundary_of(content_type)
        parts = read_parts(limited(request, UPLOAD_LIMIT), boundary)
    except MultipartError as error:
        raise StreamError(INPUT, f"upload: {error}", {"file": "bad multipart"}) from error

    fields: Document = {part.name: part.value.decode("utf-8", "replace") for part in parts}
    for part in parts:
        if part.name == "file" and part.filename is not None:
            fields["file"] = {
                "name": part.filename,
                "size": part.size,
                "sha256": part.digest.hexdigest(),
                "content_type": part.content_type,
            }

    return fields
