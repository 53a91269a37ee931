"""What IMKit's callers are told of a client."""

from collections.abc import Mapping, Sequence
from typing import Any

from chatproxy.formats.timestamps import iso
from chatproxy.identity.records import Profile, User
from chatproxy.identity.token_records import OpaqueToken

#: Sources of a badge that every client has. The first one's row stands for the client.
BADGE_SOURCES = ("badge", "imkit")

#: What IMKit has beyond a user's own fields; kept in the metadata.
IN_METADATA = ("description", "publicKey")


def client_of(user: User) -> dict[str, Any]:
    """Return a client; what nothing is known of is left out. Times end in `MS` or are ISO 8601."""
    known = {
        "_id": user.external_id,
        "id": user.external_id,
        "nickname": user.name,
        "avatarUrl": user.image,
        "email": user.email,
        **{name: user.custom.get(name) for name in IN_METADATA},
        "appID": user.app_id,
        "createdAt": iso(user.created),
        "updatedAt": iso(user.updated),
        "lastLoginTimeMS": milliseconds(user.last_seen),
    }
    return {name: value for name, value in known.items() if value is not None}


def device_of(device: tuple[str, float]) -> dict[str, Any]:
    """Return a device and when it was seen last."""
    device_id, last_seen = device
    return {"id": device_id, "lastSeenMS": milliseconds(last_seen)}


def badge_of(client_id: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """Return a client's badges by source, and their sum."""
    return {"clientId": client_id, "total": sum(counts.values()), **counts}


def told(client_id: str, profile: Profile) -> dict[str, Any]:
    """Return a change as an IMKit server takes it."""
    changed = {
        "nickname": profile.name,
        "avatarUrl": profile.image,
        "email": profile.email,
        **(profile.custom or {}),
    }
    return {"_id": client_id, **{name: v for name, v in changed.items() if v is not None}}


def token_of(token: OpaqueToken) -> dict[str, Any]:
    """Return a token and its end."""
    return {"token": token.text, "expirationDate": iso(token.expires)}


def envelope(result: Any) -> dict[str, Any]:
    """Return a success as every IMKit client expects it."""
    return {"RC": 0, "RM": "OK", "result": result}


def listed(clients: Sequence[dict[str, Any]], total: int) -> dict[str, Any]:
    """Return some of many."""
    return {"totalCount": total, "data": list(clients)}


def milliseconds(seconds: float | None) -> int | None:
    """Return epoch milliseconds."""
    return None if seconds is None else int(seconds * 1000)
