"""How documents cross the border in the two versions of the interface.

Version 1 mixes the customer's own fields with the vendor's and writes times as ISO 8601; version 2
keeps them under `custom` and writes times as nanoseconds since 1970.
"""

import json
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from .errors import INPUT, StreamError
from .state import Document, now

CUSTOM_LIMIT = 5 * 1024
# What only the server writes, in an object of any kind; clients send it back, and it is ignored.
READ_ONLY = {
    *("created_at", "updated_at", "deleted_at", "deactivated_at", "last_active", "user"),
    *("banned", "online", "shadow_banned", "revoke_tokens_issued_before", "devices", "user_id"),
    *("last_message_at", "member_count", "message_count", "own_capabilities", "html", "channel"),
    *("latest_reactions", "own_reactions", "reaction_counts", "reaction_scores", "message_id"),
    *("reaction_groups", "pinned_at", "pinned_by", "reply_count", "restricted_visibility"),
    # The last three are what a body says about the making of a channel.
    *("cid", "config", "members", "created_by", "created_by_id"),
}


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


def split(body: Document, writable: AbstractSet[str], version: int) -> Document:
    """Return the writable fields of a body as they are, the customer's gathered under `custom`.

    Raises StreamError 4 where the customer's are above 5 KiB.
    """
    document = {key: body[key] for key in body if key in writable}
    if version == 1:
        known = writable | READ_ONLY | {"custom"}
        custom = {key: body[key] for key in body if key not in known}
    else:
        custom = dict(body.get("custom") or {})

    _check_custom(custom)
    return {**document, "custom": custom}


def change(document: Document, changes: Document, writable: AbstractSet[str]) -> None:
    """Do a partial update's `set` and `unset`, in either version. Raises StreamError 4."""
    fields = writable - {"id"}
    for field, value in (changes.get("set") or {}).items():
        if field in fields:
            document[field] = value
        elif field not in READ_ONLY:
            document["custom"][field] = value

    for field in changes.get("unset") or []:
        (document if field in fields else document["custom"]).pop(field, None)

    _check_custom(document["custom"])
    document["updated_at"] = now()


def _time(moment: datetime, version: int) -> str | int:
    if version == 1:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    # Through whole microseconds, because a float of nanoseconds since 1970 is not exact.
    return (int(moment.timestamp()) * 1_000_000 + moment.microsecond) * 1000


def _check_custom(custom: Document) -> None:
    if len(json.dumps(custom)) > CUSTOM_LIMIT:
        raise StreamError(INPUT, "custom data is larger than 5 KB", "custom")
