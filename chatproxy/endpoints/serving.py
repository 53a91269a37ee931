"""What the views share: the services, the request's context, a body, a private answer."""

import json
from typing import Any

from flask import Response, current_app, jsonify, request
from marshmallow import Schema, ValidationError

from chatproxy.context import KEY, RequestContext
from chatproxy.errors import CallerError, MalformedBody
from chatproxy.services import Route, Services


def services() -> Services:
    """Return the worker's services."""
    found: Services = current_app.extensions["chatproxy"]
    return found


def default_route() -> Route:
    """Return the provider at the root. Its endpoints exist only where it is on."""
    route = services().default
    assert route is not None  # noqa: S101 - see the table in endpoints/__init__
    return route


def context() -> RequestContext:
    """Return the context of the request being served."""
    found: RequestContext = request.environ[KEY]
    return found


def load_json(schema: Schema) -> dict[str, Any]:
    """Read the whole body and check it against the schema.

    Raises `MalformedBody`, `TruncatedBody`, `BodyTooLarge`. What the content type
    says is not asked: the body is JSON or it is refused.
    """
    body = context().body
    content = b"" if body is None else body.read_all(services().settings.max_json_bytes)

    try:
        document: dict[str, Any] = schema.load(json.loads(content))
    except ValidationError as error:
        raise MalformedBody(_explained(error)) from error
    except (ValueError, RecursionError) as error:
        raise MalformedBody("The body must be a JSON object.") from error

    return document


def load_query(schema: Schema) -> dict[str, Any]:
    """Check the query against the schema; raise `CallerError`."""
    try:
        document: dict[str, Any] = schema.load(request.args.to_dict())
    except ValidationError as error:
        raise CallerError(_explained(error)) from error

    return document


def private(content: dict[str, Any], status: int = 200) -> Response:
    """Answer something that no cache may keep: it holds a token, or depends on who asks."""
    answer = jsonify(content)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _explained(error: ValidationError) -> str:
    """Name the place and the reason of the first fault."""
    if not isinstance(error.messages, dict):
        return str(error.messages)

    place, reasons = next(iter(error.messages.items()))
    reason = reasons[0] if isinstance(reasons, list) else str(reasons)
    return reason if place == "_schema" else f"{place}: {reason}"
