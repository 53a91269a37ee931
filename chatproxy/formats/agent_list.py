"""The document that names an app's agents: a JSON list of `{id, name}`, perhaps `active`, `app`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marshmallow import Schema, ValidationError, fields

from chatproxy.formats import strictjson

AGENTS = Schema.from_dict(
    {
        "id": fields.String(required=True),
        "name": fields.String(required=True),
        "active": fields.Boolean(load_default=True, truthy={True}, falsy={False}),
        "app": fields.String(),
    }
)()


def read(content: bytes) -> Sequence[Mapping[str, Any]]:
    """Return the agents of a document, each with `id`, `name`, `active` and perhaps `app`.

    Raises `ValueError`.
    """
    try:
        return AGENTS.load(strictjson.read(content), many=True)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise ValueError(str(error)) from error


def problems(content: bytes) -> Iterator[str]:
    """Yield what is wrong with the document, for the check at the start."""
    try:
        read(content)
    except ValueError as error:
        yield f"is not a list of agents: {error}."
