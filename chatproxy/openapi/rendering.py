"""A declared operation in OpenAPI's words."""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import fields

from chatproxy.openapi.operation import JSON, Answer, Operation, Parameter, Shape
from chatproxy.openapi.responses import headers

Described = Callable[[Shape | fields.Field[Any]], dict[str, Any]]

ANY_ANSWER = {
    "description": "What the provider answers: its status, headers and body.",
    "content": {"*/*": {}},
    "headers": headers({}, required=False),
}


def rendered(
    operation: Operation, path: str, described: Described, failures: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an operation object of a path. `failures` are the answers to failures."""
    found: dict[str, Any] = {"summary": operation.summary}

    if operation.description:
        found["description"] = operation.description

    if parameters := _parameters(operation, path, described):
        found["parameters"] = parameters

    if operation.body is not None:
        content: dict[str, Any] = {"schema": described(operation.body)}
        content |= {} if operation.example is None else {"example": operation.example}
        found["requestBody"] = {
            "required": operation.body_is_required,
            "content": {JSON: content},
        }
    elif operation.forwarded:
        found["requestBody"] = {"required": False, "content": {"*/*": {}}}

    answers = {str(status): _answered(one, described) for status, one in operation.answers.items()}
    answers |= {"default": ANY_ANSWER} if operation.forwarded else {}
    answers |= failures
    found["responses"] = dict(sorted(answers.items()))
    return found


def _parameters(operation: Operation, path: str, described: Described) -> list[dict[str, Any]]:
    found = [
        _parameter("path", name, one, required=True)
        for name, one in operation.path.items()
        if f"{{{name}}}" in path
    ]
    found += [
        _parameter("header", *one, required=one[1].required) for one in operation.headers.items()
    ]

    if operation.query is not None:
        found += _query(operation, described)

    return found


def _query(operation: Operation, described: Described) -> list[dict[str, Any]]:
    assert operation.query is not None  # noqa: S101 - asked before
    found = []

    for name, field in operation.query().fields.items():
        named = field.data_key or name
        schema = described(field)
        about = schema.pop("description", "")
        given = {"name": named, "in": "query", "required": field.required, "schema": schema}
        given |= {"description": about} if about else {}
        given |= {"example": operation.asked[named]} if named in operation.asked else {}
        found.append(given)

    return found


def _parameter(place: str, name: str, one: Parameter, *, required: bool) -> dict[str, Any]:
    found = {
        "name": name,
        "in": place,
        "required": required,
        "description": one.description,
        "schema": dict(one.schema),
    }
    return found | ({} if one.example is None else {"example": one.example})


def _answered(one: Answer, described: Described) -> dict[str, Any]:
    found: dict[str, Any] = {"description": one.description}
    content: dict[str, Any] = {} if one.schema is None else {"schema": described(one.schema)}
    content |= {} if one.example is None else {"example": one.example}

    if content:
        found["content"] = {one.media: content, **one.also}

    return found | {"headers": headers(one.headers, required=True)}
