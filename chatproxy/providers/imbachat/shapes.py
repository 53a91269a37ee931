"""Users in the form that imbachat.com reads."""

from collections.abc import Callable, Mapping
from typing import Any

from chatproxy.identity.records import User


def info(user: User) -> dict[str, Any]:
    """Return a user for `users`.

    All but id, name and picture comes from the user's metadata, under the names that the
    vendor documents. A picture there replaces the user's own. Values of another type than
    the documented one are left out.
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
    """Return a user for `search`."""
    return _named(user) | {"email": user.email or ""}


def _named(user: User) -> dict[str, Any]:
    # `name` is required, so a user without one is shown by its id.
    return {"user_id": int(user.external_id), "name": user.name or user.external_id}


def _is_url(value: Any) -> bool:
    # The value becomes a link in other people's pages: no `javascript:`.
    return isinstance(value, str) and value.lower().startswith(("http://", "https://"))


def _is_avatar(value: Any) -> bool:
    # The vendor's plugins send `false` for a user without a picture.
    return value is False or _is_url(value)


def _is_time(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_badge(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _profiles(value: Any) -> dict[str, Any]:
    items = value.items() if isinstance(value, Mapping) else ()
    return {name: profile for name, one in items if (profile := _profile(one)) is not None}


def _profile(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        return None

    # Unlike the user's own id it may be a text, such as `P11-A`, as a badge may.
    if not _is_badge(value.get("user_id")):
        return None

    profile = {"user_id": value["user_id"], "name": value["name"]}
    picture = value.get("avatar_url")
    return profile | ({"avatar_url": picture} if _is_avatar(picture) else {})


ADDITIONAL: Mapping[str, Callable[[Any], bool]] = {
    "avatar_url": _is_avatar,
    "profile_url": _is_url,
    "lastlogin": _is_time,
    "badge": _is_badge,
}
