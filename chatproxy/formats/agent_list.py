"""The document that names an app's agents: a JSON list of `{id, name}`, perhaps `active`, `app`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
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


def problems(name: str, path: str) -> Iterator[str]:
    """Yield the problem with the document that a setting names, for the check at the start."""
    try:
        read(Path(path).read_bytes())
    except OSError as error:
        yield f"{name}: {path} cannot be read ({error.strerror}). Name a readable JSON file."
    except ValueError as error:
        yield f"{name}: {path} is not a list of agents: {error}."
