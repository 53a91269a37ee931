"""How documents cross the border in the two versions of the interface.

Version 1 mixes the customer's own fields with the vendor's and writes times as ISO 8601; version 2
keeps them under `custom` and writes times as nanoseconds since 1970.
"""

import json
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .errors import INPUT, StreamError
from .state import Document, now

CUSTOM_LIMIT = 5 * 1024


class Fields(NamedTuple):
    """The vendor's fields of an object: `writable` ones, and those that only the server writes.

    Clients send the latter back, and they are ignored. All others are the customer's own.
    """

    writable: AbstractSet[str]
    read_only: AbstractSet[str]


def render(value: Any, version: int) -> Any:
    """Return a document and all in it, in the form of one version."""
    if isinstance(value, datetime):
        return _time(value, version)

    if isinstance(value, list):
        return [render(item, version) for item in value]

    if not isinstance(value, dict):
        return value

    shown = {key: render(item, version) for key, item in value.items()}
    custom = shown.get("custom")
    if version == 1 and isinstance(custom, dict):
        del shown["custom"]
        return {**custom, **shown}

    return shown


def split(body: Document, fields: Fields, version: int) -> Document:
    """Return the writable fields of a body as they are, the customer's gathered under `custom`.

    Raises StreamError 4 where the customer's are above 5 KiB.
    """
    document = {key: body[key] for key in body if key in fields.writable}
    if version == 1:
        known = fields.writable | fields.read_only | {"custom"}
        custom = {key: body[key] for key in body if key not in known}
    else:
        custom = dict(body.get("custom") or {})

    _check_custom(custom)
    return {**document, "custom": custom}


def change(document: Document, changes: Document, fields: Fields) -> None:
    """Do a partial update's `set` and `unset`, in either version. Raises StreamError 4."""
    for field, value in (changes.get("set") or {}).items():
        if field in fields.writable:
            document[field] = value
        elif field not in fields.read_only:
            document["custom"][field] = value

    for field in changes.get("unset") or []:
        document["custom"].pop(field, None)

    _check_custom(document["custom"])
    document["updated_at"] = now()


def read_time(value: object, field: str) -> datetime | None:
    """Read a time in ISO 8601, null as None, without a zone as UTC. Raises StreamError 4."""
    if value is None:
        return None

    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise StreamError(INPUT, f"{field} is not a time", field) from error

    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _time(moment: datetime, version: int) -> str | int:
    if version == 1:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    # Through whole microseconds, because a float of nanoseconds since 1970 is not exact.
    return (int(moment.timestamp()) * 1_000_000 + moment.microsecond) * 1000


def _check_custom(custom: Document) -> None:
    if len(json.dumps(custom)) > CUSTOM_LIMIT:
        raise StreamError(INPUT, "custom data is larger than 5 KB", "custom")
