"""How documents cross the border in the two versions of the interface.

Version 1 mixes the customer's own fields with the vendor's and writes times as ISO 8601; version 2
keeps them under `custom` and writes times as nanoseconds since 1970.
"""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

from .errors import INPUT, StreamError
from .state import Document

CUSTOM_LIMIT = 5 * 1024


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


def _time(moment: datetime, version: int) -> str | int:
    if version == 1:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    # Through whole microseconds, because a float of nanoseconds since 1970 is not exact.
    return (int(moment.timestamp()) * 1_000_000 + moment.microsecond) * 1000


def read_time(value: object, field: str) -> datetime | None:
    """Read a time in ISO 8601, null as None, without a zone as UTC. Raises StreamError 4."""
    if value is None:
        return None

    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise StreamError(INPUT, f"{field} is not a time", {field: "must be RFC 3339"}) from error

    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def split(
    body: Document, known: AbstractSet[str], ours: AbstractSet[str], version: int
) -> Document:
    """Return the `known` fields of a body as they are, the customer's gathered under `custom`.

    `ours` are fields that only the server writes; clients send them back, and they are ignored.
    Raises StreamError 4 where the customer's are above 5 KiB.
    """
    document = {key: body[key] for key in body if key in known}
    if version == 1:
        custom = {key: body[key] for key in body if key not in known | ours | {"custom"}}
    else:
        custom = dict(body.get("custom") or {})

    check_custom(custom)
    return {**document, "custom": custom}


def check_custom(custom: Document) -> None:
    """Refuse more of the customer's data than an object may carry. Raises StreamError 4."""
    if len(json.dumps(custom)) > CUSTOM_LIMIT:
        raise StreamError(INPUT, "custom data is larger than 5 KB", {"custom": "max 5 KB"})
