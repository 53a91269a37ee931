"""Users in the form that imbachat.com reads."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from chatproxy.identity.records import User
from chatproxy.providers.imbachat import userids

#: What a chat's user may do, as the vendor's plugin for WordPress names it. Whatever else an object
#: of this name holds is of no concern to imbachat.com.
PERMISSIONS = (
    "available_chat",
    "send_message",
    "send_files",
    "send_geo",
    "audio_calls",
    "video_calls",
    "audio_message",
    "audio_message_enable",
    "video_message",
)

MAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,255}")


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

    groups = {
        "permissions": _permissions(user.custom.get("permissions")),
        "profiles": _profiles(user.custom.get("profiles")),
    }
    return named(user) | picture | additional | {name: one for name, one in groups.items() if one}


def hit(user: User) -> dict[str, Any]:
    """Return a user for `search`."""
    return named(user) | {"email": user.email or ""}


def friends_of(user: User) -> list[str]:
    """Return the ids of a user's friends, in their order and each once.

    They are `friends` in its metadata, a list of ids: numbers or texts. Others are left out.
    """
    listed = user.custom.get("friends")
    items = listed if isinstance(listed, list) else ()
    return userids.read_lists(str(one) for one in items if _is_badge(one))


def named(user: User) -> dict[str, Any]:
    """Return the two fields that are in every form of a user."""
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


def _is_mail(value: Any) -> bool:
    return isinstance(value, str) and MAIL.fullmatch(value) is not None and value.isprintable()


def _is_role(value: Any) -> bool:
    return isinstance(value, str) and value in ("admin", "user")


def _is_none(value: Any) -> bool:
    # The plugin says `false` where a site has no permissions.
    return value is False


def _permissions(value: Any) -> dict[str, bool]:
    items = value if isinstance(value, Mapping) else {}
    # What is no yes and no no, such as "no", is not a permission.
    return {name: _is_yes(items[name]) for name in PERMISSIONS if name in items}


def _is_yes(value: Any) -> bool:
    return isinstance(value, int) and value == 1


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
    "user_mail": _is_mail,
    "chat_role": _is_role,
    "permissions": _is_none,
}
