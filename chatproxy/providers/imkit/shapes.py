"""Clients, devices, badges and tokens in the form of IMKit's API."""

from collections.abc import Mapping
from typing import Any

from chatproxy.formats.objects import without_none
from chatproxy.formats.timestamps import iso
from chatproxy.identity.records import Profile, User
from chatproxy.identity.token_records import OpaqueToken

#: Sources of a badge that every client has. The first one's row stands for the client.
BADGE_SOURCES = ("badge", "imkit")

#: Fields of a client that a user does not have. They are kept in the metadata.
IN_METADATA = ("description", "publicKey")


def client_of(user: User) -> dict[str, Any]:
    """Return a client. Times are ISO 8601, or milliseconds if their name ends in `MS`."""
    fields = {
        "_id": user.external_id,
        "id": user.external_id,
        "nickname": user.name,
        "avatarUrl": user.image,
        "email": user.email,
        **{name: user.custom.get(name) for name in IN_METADATA},
        "appID": user.app_id,
        "createdAt": iso(user.created),
        "updatedAt": iso(user.updated),
        "lastLoginTimeMS": _milliseconds(user.last_seen),
    }
    return without_none(fields)


def device_of(device: tuple[str, float]) -> dict[str, Any]:
    """Return a device and when it was last seen."""
    device_id, last_seen = device
    return {"id": device_id, "lastSeenMS": _milliseconds(last_seen)}


def badge_of(client_id: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """Return a client's count for each source, and their sum."""
    return {"clientId": client_id, "total": sum(counts.values()), **counts}


def client_body(client_id: str, profile: Profile) -> dict[str, Any]:
    """Return the body of `POST /admin/clients` for an IMKit server."""
    fields = {
        "_id": client_id,
        "nickname": profile.name,
        "avatarUrl": profile.image,
        "email": profile.email,
        **(profile.custom or {}),
    }
    return without_none(fields)


def token_of(token: OpaqueToken) -> dict[str, Any]:
    """Return a token and its expiry."""
    return {"token": token.text, "expirationDate": iso(token.expires)}


def envelope(result: Any) -> dict[str, Any]:
    """Return the body of a success. The vendor's clients ignore one without `RC` 0."""
    return {"RC": 0, "RM": "OK", "result": result}


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)
