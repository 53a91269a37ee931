"""What imbachat.com is told of a user."""

from collections.abc import Callable, Mapping
from typing import Any

from chatproxy.identity.records import User


def info(user: User) -> dict[str, Any]:
    """Return a user as the users info has it.

    Beyond id, name and picture all comes from the user's metadata, under the names that
    the vendor documents; a picture there goes before the user's own. What is of another
    type than there is left out.
    """
    picture = {"avatar_url": user.image} if _is_url(user.image) else {}
    additional = {
        field: user.custom[field]
        for field, is_right in ADDITIONAL.items()
        if field in user.custom and is_right(user.custom[field])
    }

    profiles = _profiles(user.custom.get("profiles"))
    return _named(user) | picture | additional | ({"profiles": profiles} if profiles else {})


def hit(user: User) -> dict[str, Any]:
    """Return a user as a search has it."""
    return _named(user) | {"email": user.email or ""}


def _named(user: User) -> dict[str, Any]:
    """Return what every user has; without a name the id stands in, for one is required."""
    return {"user_id": int(user.external_id), "name": user.name or user.external_id}


def _is_url(value: Any) -> bool:
    """Let no `javascript:` through: the value becomes a link in other people's pages."""
    return isinstance(value, str) and value.lower().startswith(("http://", "https://"))


def _is_avatar(value: Any) -> bool:
    """Let `false` pass as well: it says that there is no picture."""
    return value is False or _is_url(value)


def _is_time(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_badge(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _profiles(value: Any) -> dict[str, Any]:
    """Return those profiles that are right, by their ids."""
    items = value.items() if isinstance(value, Mapping) else ()
    return {name: told for name, one in items if (told := _profile(one)) is not None}


def _profile(value: Any) -> dict[str, Any] | None:
    """Return the three fields of a profile, None where it lacks a right id or name."""
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        return None

    if not _is_badge(value.get("user_id")):
        return None

    told = {"user_id": value["user_id"], "name": value["name"]}
    picture = value.get("avatar_url")
    return told | ({"avatar_url": picture} if _is_avatar(picture) else {})


ADDITIONAL: Mapping[str, Callable[[Any], bool]] = {
    "avatar_url": _is_avatar,
    "profile_url": _is_url,
    "lastlogin": _is_time,
    "badge": _is_badge,
}
