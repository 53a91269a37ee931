"""Reading what a caller sent: a body, the query, a header, an id in the raw path."""

import functools
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from flask import request
from marshmallow import Schema, ValidationError

from chatproxy.errors import BadTarget, CallerError, InvalidBody, Issue, MalformedBody
from chatproxy.formats import strictjson
from chatproxy.forwarding.body import JSON_TYPE
from chatproxy.web.current import context, services
from chatproxy.web.validators import Fault

#: A scheme is case-insensitive and followed by one or more spaces (RFC 9110 section 11.4). A comma
#: shows that gunicorn has joined two fields: then it is unclear which of them counts.
BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([^\s,]+)")

NO_OBJECT = "The body must be a JSON object."


def is_json() -> bool:
    """Say whether the request's content type is JSON."""
    return JSON_TYPE.fullmatch(request.environ.get("CONTENT_TYPE") or "") is not None


def load_json(schema: type[Schema]) -> dict[str, Any]:
    """Read the whole body as JSON, whatever its content type, and check it against the schema.

    Raises `MalformedBody`, `InvalidBody`, `TruncatedBody`, `BodyTooLarge`.
    """
    return load(schema, read_json())


def read_json(most: int | None = None, *, refusal: str = NO_OBJECT) -> Any:
    """Read the whole body as JSON, at most `most` bytes and never more than `MAX_JSON_BYTES`.

    `refusal` is the message for what is no JSON. Raises `MalformedBody`, `TruncatedBody`,
    `BodyTooLarge`.
    """
    return _parsed(_content(most), refusal)


def read_bytes() -> bytes:
    """Read the whole body as it is; raise as `read_json` does, but for what it holds."""
    return _content()


def read_object() -> dict[str, Any]:
    """Read the body as a JSON object, no body as an empty one; raise as `read_json` does."""
    content = _content()
    document = _parsed(content) if content else {}

    if not isinstance(document, dict):
        raise MalformedBody(NO_OBJECT)

    return document


def load(schema: type[Schema], document: Any) -> dict[str, Any]:
    """Check a document against the schema; raise `InvalidBody` with every fault."""
    try:
        loaded: dict[str, Any] = _made(schema).load(document)
    except ValidationError as error:
        raise InvalidBody(list(_issues(error.messages))) from error

    return loaded


def load_query(schema: type[Schema], *, once: bool = False) -> dict[str, Any]:
    """Check the query against the schema; raise `CallerError`.

    With `once` a field that is there twice is refused, since one value would be taken in silence.
    """
    fields = _made(schema).fields.items() if once else ()
    names = [field.data_key or name for name, field in fields]

    if twice := [name for name in names if len(query_values(name)) > 1]:
        raise CallerError(f"{twice[0]}: Given more than once.")

    try:
        return load(schema, request.args.to_dict())
    except InvalidBody as error:
        raise CallerError(error.message) from error


def query_values(name: str) -> list[str]:
    """Return every value of a name in the query."""
    return request.args.getlist(name)


def path_below(mount: str) -> str:
    """Return the raw path behind a mount; raise `BadTarget` where that is spelt in another way."""
    # The router matches the decoded path, so `//api/x` and `/%61pi/x` get here as well. A rule
    # for what is below would be compared with the wrong part of them.
    mount = services().settings.service_prefix + mount
    path = context().path

    if path != mount and not path.startswith(mount + "/"):
        raise BadTarget(f"The path must begin with {mount} as it stands here.")

    return path.removeprefix(mount)


def segments_below(place: str) -> list[str]:
    """Return the segments of the raw path below a place, still encoded."""
    # The router works on the decoded path (PEP 3333), where the `%2F` of an id ends the segment.
    path = context().target.path.removeprefix(services().settings.service_prefix)
    return path.removeprefix(place).split("/")


def decoded_id(segment: str, kind: str) -> str:
    """Return the id in a segment of the raw path; raise `BadTarget` for what is not UTF-8."""
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise BadTarget(f"The {kind} id in the path is not UTF-8.") from error


def header(name: str) -> str | None:
    """Return a header as WSGI has it, None if absent; repeated ones are joined by commas."""
    found: str | None = request.environ.get("HTTP_" + name.upper().replace("-", "_"))
    return found


def address() -> str | None:
    """Return the address of the connection on which the request came."""
    # Not `X-Forwarded-For`: any caller can write that, and get a fresh count with each value.
    return request.remote_addr


def header_text(name: str) -> str | None:
    """Return a header as text, None if absent; raise `CallerError` if it is not UTF-8."""
    # WSGI passes the bytes of a header as Latin-1 text (PEP 3333); callers send UTF-8.
    raw = header(name)

    try:
        return None if raw is None else raw.encode("latin-1").decode("utf-8")
    except UnicodeError as error:
        raise CallerError("A header is not UTF-8.") from error


@functools.cache  # of the schemas that there are: making one takes longer than its use
def _made(schema: type[Schema]) -> Schema:
    return schema()


def _content(most: int | None = None) -> bytes:
    body = context().body
    limit = services().settings.max_json_bytes
    return b"" if body is None else body.read_all(limit if most is None else min(limit, most))


def _parsed(content: bytes, refusal: str = NO_OBJECT) -> Any:
    try:
        return strictjson.read(content)
    except strictjson.LimitError as error:
        raise MalformedBody(f"{refusal.removesuffix('.')}: {error}") from error
    except ValueError as error:
        raise MalformedBody(refusal, detail=str(error)) from error
    finally:
        time.sleep(0)  # parsing may have taken long: let the worker's other requests run


def _issues(messages: Any, path: tuple[str | int, ...] = ()) -> Iterator[Issue]:
    # marshmallow nests its messages by name and index; `_schema` has those of a whole object.
    if isinstance(messages, dict):
        for place, inner in messages.items():
            yield from _issues(inner, path if place == "_schema" else (*path, place))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            if isinstance(message, Fault):
                yield Issue(path, message.message, message.kind)
            else:
                yield Issue(path, str(message))
