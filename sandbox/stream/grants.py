"""What the app's roles may do: the permissions that there are, and how grants and policies change.

The vendor's permissions reference has the names and what is granted at first; here is as much of
it as tells the types of channels and the roles apart.
"""

from collections.abc import Collection
from typing import Any

from .call import Call, checked, common
from .errors import INPUT, StreamError
from .state import Document

BUILT_IN_ROLES = (
    *("user", "guest", "anonymous", "admin", "moderator", "channel_member", "channel_moderator"),
    *("global_admin", "global_moderator"),
)
# Each also with `-owner`, for what is the user's own, and `-any-team`.
PERMISSIONS = frozenset(
    """
    add-links add-own-channel-membership ban-channel-member ban-user create-attachment create-call
    create-channel create-distinct-channel-for-others create-mention create-message
    create-reaction create-restricted-visibility-message create-system-message delete-attachment
    delete-channel delete-message delete-reaction flag-message flag-user join-call mute-channel
    mute-user pin-message read-channel read-channel-members read-disabled-channel
    read-flag-reports read-message-flags read-restricted-visibility-message recreate-channel
    remove-own-channel-membership run-message-action search-user send-custom-event
    skip-channel-cooldown skip-message-moderation truncate-channel unblock-message update-channel
    update-channel-cooldown update-channel-frozen update-channel-members update-flag-report
    update-message update-user update-user-role update-user-teams upload-attachment
    use-frozen-channel
    """.split()  # noqa: SIM905 - a list of fifty lines tells no more
)
SUFFIXES = ("-owner", "-any-team", "-owner-any-team")
ALL = ("", *SUFFIXES)

APP_GRANTS: Document = {
    "admin": ["flag-user", "mute-user", "read-flag-reports", "search-user", "update-user-owner"],
    "moderator": ["flag-user", "mute-user", "read-flag-reports", "search-user"],
    "user": ["flag-user", "mute-user", "search-user", "update-user-owner"],
    "guest": ["flag-user", "mute-user", "search-user", "update-user-owner"],
}
TALK = ("add-links", "create-message", "create-reaction", "flag-message", "read-channel")
TYPE_GRANTS: Document = {
    "admin": [*TALK, "ban-user", "create-channel", "delete-channel", "update-channel"],
    "moderator": [*TALK, "ban-user", "create-channel", "update-channel"],
    "user": ["create-channel", *(f"{one}-owner" for one in TALK)],
    "channel_member": list(TALK),
    "channel_moderator": [*TALK, "ban-channel-member", "update-channel"],
}
POLICIES: list[Document] = [
    {
        "name": name,
        "resources": ["*"] if resources is None else resources,
        "roles": roles,
        "owner": owner,
        "action": action,
        "priority": priority,
    }
    for name, resources, roles, owner, action, priority in (
        ("Admin users can perform any action", None, ["admin"], False, "Allow", 600),
        ("Anonymous users are not allowed", None, ["anonymous"], False, "Deny", 500),
        ("Users can modify their own messages", None, ["user"], True, "Allow", 400),
        ("Users can create channels", ["CreateChannel"], ["user"], False, "Allow", 300),
        ("deny all policy", None, ["*"], False, "Deny", 1),
    )
]
POLICY: dict[str, type] = {
    "name": str,
    "resources": list,
    "roles": list,
    "owner": bool,
    "action": str,
    "priority": int,
}
HIGHEST_PRIORITY = 999


def granted(grants: Document, given: Any, roles: Collection[str]) -> Document:
    """Return a scope's grants with those of the roles that are given. Raises StreamError 4."""
    for role, listed in checked(given, dict, "grants").items():
        if role not in roles:
            raise StreamError(INPUT, f"role {role!r} does not exist", "grants")

        for one in checked(listed, list, f"grants.{role}"):
            if not _is_permission(one):
                raise StreamError(INPUT, f"permission {one!r} does not exist", "grants")

    return {**grants, **given}


def policies(given: Any) -> list[Document]:
    """Return policies, if all six fields of each are right. Raises StreamError 4."""
    for one in checked(given, list, "permissions"):
        policy = checked(one, dict, "permissions")
        if policy.keys() != POLICY.keys():
            wanted = f"a permission has the fields {', '.join(POLICY)}"
            raise StreamError(INPUT, wanted, "permissions")

        for field, kind in POLICY.items():
            checked(policy[field], kind, f"permissions.{field}")

        if policy["action"] not in ("Allow", "Deny"):
            raise StreamError(INPUT, "action must be one of [Deny Allow]", "permissions.action")

        if not 1 <= policy["priority"] <= HIGHEST_PRIORITY:
            wanted = f"priority must be 1 to {HIGHEST_PRIORITY}"
            raise StreamError(INPUT, wanted, "permissions.priority")

    return list(given)


def _list(call: Call) -> Document:
    """Answer with what there is; an app of the stand-in has no permissions of its own."""
    shown = [_permission(f"{one}{suffix}") for one in sorted(PERMISSIONS) for suffix in ALL]
    return {"permissions": shown}


def _permission(name: str) -> Document:
    action = name.removesuffix("-any-team").removesuffix("-owner")
    return {
        "id": name,
        "name": name.replace("-", " ").capitalize(),
        "description": "",
        "action": "".join(map(str.capitalize, action.split("-"))),
        "owner": "-owner" in name,
        "same_team": not name.endswith("-any-team"),
        "custom": False,
        "level": "channel" if "channel" in action or "message" in action else "app",
        "owner_resource": "",
        "tags": [],
    }


def _is_permission(name: Any) -> bool:
    # With `!` in front the vendor takes it for a single channel only.
    if not isinstance(name, str):
        return False

    return name in PERMISSIONS or any(
        name.removesuffix(suffix) in PERMISSIONS for suffix in SUFFIXES if name.endswith(suffix)
    )


ROUTES = (*common("GET", "/permissions", _list, server_only=True),)
