"""What Stream calls its actions, roles and types of channels, and what it allows as a name.

Source: the vendor's permissions reference, its page on the first system, and the lists in its
SDKs for Java and .NET. The first system is closed. The second one grows, and an application may
add permissions of its own, so names that are not here may be good there.
"""

import re

from chatproxy.formats.storable import is_storable

#: Characters of a role's name (OpenAPI, `CreateRoleRequest`).
LONGEST_ROLE = 64
LONGEST_NAME = 255

#: Any resource, and any role, in the first system.
ANY = "*"

ACTIONS = frozenset(
    (
        "AddLinks", "AddOwnChannelMembership", "BanChannelMember", "BanUser", "CreateAttachment",
        "CreateCall", "CreateChannel", "CreateDistinctChannelForOthers", "CreateMention",
        "CreateMessage", "CreateReaction", "CreateRestrictedVisibilityMessage",
        "CreateSystemMessage", "DeleteAttachment", "DeleteChannel", "DeleteMessage",
        "DeleteReaction", "FlagMessage", "FlagUser", "JoinCall", "MuteChannel", "MuteUser",
        "PinMessage", "ReadChannel", "ReadChannelMembers", "ReadDisabledChannel",
        "ReadFlagReports", "ReadMessageFlags", "ReadRestrictedVisibilityMessage",
        "RecreateChannel", "RemoveOwnChannelMembership", "RunMessageAction", "SearchUser",
        "SendCustomEvent", "SkipChannelCooldown", "SkipMessageModeration", "TruncateChannel",
        "UnblockMessage", "UpdateChannel", "UpdateChannelCooldown", "UpdateChannelFrozen",
        "UpdateChannelMembers", "UpdateFlagReport", "UpdateMessage", "UpdateUser",
        "UpdateUserRole", "UpdateUserTeams", "UploadAttachment", "UseFrozenChannel",
    )
)  # fmt: skip
#: Of the first system only. The vendor's own list spells one of them in two ways.
FORMER = frozenset(
    (
        "CreateDistinctChannelsForOthers", "EditUser", "UpdateChannelRoles", "UseCommands",
    )
)  # fmt: skip
RESOURCES = ACTIONS | FORMER

#: Roles that every application has. They cannot be made.
BUILT_IN_ROLES = frozenset(
    (
        "admin", "anonymous", "channel_member", "channel_moderator", "global_admin",
        "global_moderator", "guest", "moderator", "user",
    )
)  # fmt: skip

#: The second system's scope that is no type of channels.
APP = "app"

TYPE = re.compile(r"[A-Za-z0-9_-]{1,64}")
PERMISSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")

CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def permission_of(resource: str) -> str:
    """Return what the second system calls a resource of the first: `BanUser` is `ban-user`."""
    return CAPITAL.sub("-", resource).lower()


def fault_in_type(name: str) -> str:
    """Return why Stream takes no type of channels of this name; empty where it may."""
    # A channel's id is `type:id`; other products of the vendor have scopes such as `video:default`,
    # and the application's own is `.app`.
    if name.lower() in (APP, f".{APP}") or ":" in name or name.startswith("."):
        return "is reserved by Stream, and no type of channels: name one of yours"

    if not TYPE.fullmatch(name):
        return "is no name of a type of channels: 1 to 64 letters, digits, - and _"

    return ""


def fault_in_role(name: str) -> str:
    """Return why Stream takes no role of this name; empty where it may."""
    if not name or name != name.strip():
        return "is no name of a role: it is empty, or has white space at an end"

    if len(name) > LONGEST_ROLE:
        return f"is no name of a role: longer than {LONGEST_ROLE} characters"

    if not name.isprintable() or not is_storable(name):
        return "is no name of a role: it has a character that cannot be printed"

    return ""
