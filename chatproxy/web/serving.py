"""What views share: the services, the request's context, a body, a private answer."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, jsonify, request
from marshmallow import Schema, ValidationError

from chatproxy.formats import strictjson
from chatproxy.web.context import KEY, RequestContext
from chatproxy.errors import CallerError, InvalidBody, Issue, MalformedBody
from chatproxy.providers.base import DefaultProvider
from chatproxy.services import Services

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory
    from chatproxy.limiting.limiter import Limiter


def services() -> Services:
    """Return the worker's services."""
    found: Services = current_app.extensions["chatproxy"]
    return found


def default_provider() -> DefaultProvider:
    """Return the provider at the root. Its endpoints exist only where it is on."""
    provider = services().default
    assert provider is not None  # noqa: S101 - see the table in endpoints/__init__
    return provider


def directory() -> "Directory":
    """Return the directory. It is there where a provider that knows users is on."""
    found = services().directory
    assert found is not None  # noqa: S101 - see `Services`
    return found


def limiter() -> "Limiter":
    """Return the limiter, which is there where the directory is."""
    found = services().limiter
    assert found is not None  # noqa: S101 - see `Services`
    return found


def now() -> float:
    """Return the time of day in epoch seconds."""
    return services().clock.now()


def context() -> RequestContext:
    """Return the context of the request being served."""
    found: RequestContext = request.environ[KEY]
    return found


def load_json(schema: Schema) -> dict[str, Any]:
    """Read the whole body and check it against the schema.

    Raises `MalformedBody`, `InvalidBody`, `TruncatedBody`, `BodyTooLarge`. What the
    content type says is not asked: the body is JSON or it is refused.
    """
    return load(schema, read_json())


def read_json(most: int | None = None) -> Any:
    """Read the whole body as JSON, at most so many bytes, `MAX_JSON_BYTES` in any case.

    Raises `MalformedBody`, `TruncatedBody`, `BodyTooLarge`.
    """
    return _parsed(read_content(most))


def read_content(most: int | None = None) -> bytes:
    """Read the whole body, at most so many bytes, `MAX_JSON_BYTES` in any case."""
    body = context().body
    limit = services().settings.max_json_bytes
    return b"" if body is None else body.read_all(limit if most is None else min(limit, most))


def _parsed(content: bytes) -> Any:
    try:
        return strictjson.read(content)
    except ValueError as error:
        raise MalformedBody("The body must be a JSON object.", detail=str(error)) from error
    finally:
        time.sleep(0)  # reading may have taken long: the worker's other requests come first


def read_object() -> dict[str, Any]:
    """Read the body as a JSON object, nothing as an empty one; raise as `read_json` does."""
    content = read_content()
    document = _parsed(content) if content else {}

    if not isinstance(document, dict):
        raise MalformedBody("The body must be a JSON object.")

    return document


def load(schema: Schema, document: Any) -> dict[str, Any]:
    """Check a document against the schema; raise `InvalidBody` with all that is wrong."""
    try:
        loaded: dict[str, Any] = schema.load(document)
    except ValidationError as error:
        raise InvalidBody(list(_issues(error.messages))) from error

    return loaded


def load_query(schema: Schema) -> dict[str, Any]:
    """Check the query against the schema; raise `CallerError`."""
    try:
        document: dict[str, Any] = schema.load(request.args.to_dict())
    except ValidationError as error:
        raise CallerError(InvalidBody(list(_issues(error.messages))).message) from error

    return document


def private(content: Any, status: int = 200) -> Response:
    """Answer something that no cache may keep: it holds a token, or depends on who asks."""
    answer = jsonify(content)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _issues(messages: Any, path: tuple[str | int, ...] = ()) -> Iterator[Issue]:
    """List marshmallow's messages with their places."""
    if isinstance(messages, dict):
        for place, inner in messages.items():
            yield from _issues(inner, path if place == "_schema" else (*path, place))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield Issue(path, str(message))
