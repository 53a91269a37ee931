"""Reading the document: what is named by a reference, and schemas that allow nothing further."""

from collections.abc import Iterator, Mapping
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete", "options")


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (path, method, operation)."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def resolved(document: Mapping[str, Any], part: Any) -> Any:
    """What a reference leads to, else the part itself."""
    if not isinstance(part, Mapping) or "$ref" not in part:
        return part

    found: Any = document

    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]

    return found


def closed(document: Mapping[str, Any], schema: Any) -> Any:
    """The schema with every reference in its place, and no field allowed that it does not name.

    The document leaves objects open, since a later version may answer more.
    """
    schema = resolved(document, schema)

    if isinstance(schema, list):
        return [closed(document, one) for one in schema]

    if not isinstance(schema, Mapping):
        return schema

    # `example` and the like hold values, no schemas.
    values = ("example", "examples", "default", "enum", "const")
    made = {name: one if name in values else closed(document, one) for name, one in schema.items()}

    if isinstance(made.get("properties"), Mapping) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)

    return made
