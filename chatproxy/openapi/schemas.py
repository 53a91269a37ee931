"""marshmallow schemas as JSON Schema: what apispec sees by itself, and what our fields check."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import fields, validate

from chatproxy.openapi.operation import Shape
from chatproxy.settings.fields import WholeNumber
from chatproxy.web import validators
from chatproxy.web.user_schema import BoundedList, LenientSchema

NO_NUL = r"^[^\u0000]*$"

#: What a check says of its value.
KEYWORDS: Mapping[Any, Mapping[str, Any]] = {
    validators.not_empty: {"minLength": 1},
    validators.storable: {"pattern": NO_NUL},
    validators.email: {"format": "email"},
    validators.picture_url: {"format": "uri"},
    validators.storable_object: {"type": "object"},
}

#: What counts as absent in a lenient schema.
EMPTY: Mapping[str, Any] = {"enum": ["", None]}


class Converter(OpenAPIConverter):
    """Knows the fields and validators of `web`."""

    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        """Return the JSON Schema of an object. Whoever reads one has to expect further fields."""
        found: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]

        if found.get("additionalProperties") is False:
            del found["additionalProperties"]

        about = inspect.getdoc(type(schema))
        return {"description": about} | found if about else found

    def field2property(self, field: fields.Field[Any]) -> dict[str, Any]:
        """Return the JSON Schema of a field."""
        found: dict[str, Any] = super().field2property(field)
        own = found.pop("type", None)

        if found.get("default", "") is None:  # stands for an absent field, and is no value of one
            del found["default"]

        if isinstance(field, WholeNumber):
            own = "integer"
            found |= {name: found.pop(f"x-{name}") for name in ("minimum", "maximum")}

        found = ({} if own is None else {"type": own}) | found

        for check in _flat(field.validators):
            found = self._told_by(check) | found

        if "format" in found and found.get("pattern") == NO_NUL:  # no such text holds one
            del found["pattern"]

        if isinstance(field, BoundedList):
            found |= _without_none(minItems=field.check_length.min, maxItems=field.check_length.max)

        if "pattern" in found and "pattern" not in field.metadata:
            found["pattern"] = _anchored(found["pattern"])

        return _or_empty(found) if _is_lenient(field) else found

    @staticmethod
    def _told_by(check: Any) -> dict[str, Any]:
        if isinstance(check, validators.AtMost):
            return {"maxLength": check.most}

        if isinstance(check, validate.Email):
            return {"format": "email"}

        # Of a `Length` within several checks, which apispec does not look into.
        if hasattr(check, "equal") and hasattr(check, "min"):
            return _without_none(minLength=check.min, maxLength=check.max)

        return dict(KEYWORDS.get(check, {})) if callable(check) and _is_known(check) else {}


class Plugin(MarshmallowPlugin):
    """apispec's plugin, with our converter."""

    Converter = Converter


def name_of(schema: Any) -> str:
    """Return the name of a schema among the components: of which provider, and its class's."""
    found = schema if isinstance(schema, type) else type(schema)
    parts = found.__module__.split(".")
    provider = parts[2] if parts[1] == "providers" else ""
    return provider.capitalize() + found.__name__


def described(plugin: Plugin, shape: Shape | fields.Field[Any]) -> dict[str, Any]:
    """Return a reference to a marshmallow class among the components, or the JSON Schema itself."""
    assert plugin.converter is not None  # noqa: S101 - made with the document
    found: dict[str, Any]

    if isinstance(shape, fields.Field):
        found = plugin.converter.field2property(shape)
    elif isinstance(shape, type):
        found = plugin.converter.resolve_nested_schema(shape)  # type: ignore[no-untyped-call]
    else:
        found = _resolved(plugin, shape)

    return found


def _resolved(plugin: Plugin, shape: Any) -> Any:
    """Return a JSON Schema in which marshmallow classes are replaced by references."""
    if isinstance(shape, type):
        return described(plugin, shape)

    if isinstance(shape, Mapping):
        return {name: _resolved(plugin, one) for name, one in shape.items()}

    return [_resolved(plugin, one) for one in shape] if isinstance(shape, list) else shape


def _flat(checks: Any) -> Iterator[Any]:
    for one in checks:
        if isinstance(one, validators.InOrder):
            yield from one.checks
        else:
            yield one


def _is_known(check: Any) -> bool:
    return any(check is known for known in KEYWORDS)


def _is_lenient(field: fields.Field[Any]) -> bool:
    parent = field.parent
    return isinstance(parent, LenientSchema) and (field.data_key or field.name) not in parent.kept


def _or_empty(found: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [found, dict(EMPTY)]}


def _anchored(pattern: str) -> str:
    # `re.match` begins at the start by itself; JSON Schema's patterns are searched for, and know
    # no `\Z`.
    return f"^{pattern.removeprefix('^').removesuffix(chr(92) + 'Z').removesuffix('$')}$"


def _without_none(**found: Any) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}
