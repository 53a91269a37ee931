"""Types of channels: their features, and what roles may do in channels of each."""

import copy
import re
from typing import Any

from . import grants
from .call import Call, chat, checked
from .errors import INPUT, StreamError
from .messages import TEXT_LIMIT
from .state import Document, found, now, stamps

BUILT_IN = ("messaging", "livestream", "team", "gaming", "commerce")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_TEXT = 20_000

FEATURES = (
    *("typing_events", "read_events", "connect_events", "search", "reactions", "replies"),
    *("quotes", "mutes", "uploads", "url_enrichment", "custom_events", "push_notifications"),
    *("delivery_events", "reminders", "mark_messages_pending", "polls", "shared_locations"),
    *("user_message_reminders", "count_messages", "skip_last_msg_update_for_system_msgs"),
)
# That of the vendor's command, in the form in which it is read. It is written as its name.
GIPHY: Document = {
    "name": "giphy",
    "description": "sends a moving picture",
    "args": "[text]",
    "set": "fun_set",
}
COMMANDS = {one["name"]: one for one in (GIPHY,)}
# The official SDKs give a new type all of them.
ALL = "all"

AUTOMOD = ("disabled", "simple", "AI")
BEHAVIOUR = ("flag", "block", "shadow_block")
ON_CREATION = ("flag", "block")
DEFAULTS: Document = {
    **dict.fromkeys(FEATURES, True),
    "message_retention": "infinite",
    "commands": [],
}
OTHER = (
    *("allowed_flag_reasons", "automod_thresholds", "blocklist", "blocklist_behavior"),
    *("blocklists", "chat_preferences", "partition_size", "partition_ttl", "push_level"),
    "message_retention",
)
REQUIRED = ("max_message_length", "automod", "automod_behavior")
KNOWN = frozenset((*REQUIRED, *FEATURES, *OTHER, "commands", "grants", "permissions"))


def built_in() -> dict[str, Document]:
    """Return the types that every app has."""
    return {
        name: _made(
            name, {**dict(zip(REQUIRED, (TEXT_LIMIT, "disabled", "flag"), strict=True))}, ["giphy"]
        )
        for name in BUILT_IN
    }


def _made(name: str, fields: Document, commands: list[str]) -> Document:
    return {
        "name": name,
        **DEFAULTS,
        **fields,
        "commands": [one for name, one in COMMANDS.items() if {name, ALL} & set(commands)],
        "grants": copy.deepcopy(grants.TYPE_GRANTS),
        "permissions": copy.deepcopy(grants.POLICIES),
        **stamps(),
    }


def _list(call: Call) -> Document:
    return {"channel_types": call.state.channel_types}


def _get(call: Call) -> Document:
    return found(call.state.channel_types, call.params["name"], "channel type")


def _create(call: Call) -> Document:
    name = call.part("name", str)
    if not NAME.fullmatch(name):
        raise StreamError(INPUT, f"invalid channel type name {name!r}", "name")

    if name in call.state.channel_types:
        raise StreamError(INPUT, f"channel type {name!r} already exists", "name")

    given = {field: value for field, value in call.body.items() if field != "name"}
    fields = _fields(given, ON_CREATION)
    made = _made(name, fields, fields.get("commands", []))
    _permit(call, made)
    call.state.channel_types[name] = made
    return made


def _update(call: Call) -> Document:
    name = call.params["name"]
    before = found(call.state.channel_types, name, "channel type")
    fields = _fields(call.body, BEHAVIOUR)
    # What is left out goes back to its default, but for what roles may do. The vendor does not say
    # whether it is so; it requires three fields as if it were, and this is the harder case.
    after = _made(name, fields, fields.get("commands", []))
    kept = {one: before[one] for one in ("grants", "permissions", "created_at")}
    after.update(kept, updated_at=now())
    _permit(call, after)
    call.state.channel_types[name] = after
    return after


def _permit(call: Call, document: Document) -> None:
    if "grants" in call.body:
        document["grants"] = grants.granted(
            document["grants"], call.body["grants"], call.state.roles
        )

    if "permissions" in call.body:
        document["permissions"] = grants.policies(call.body["permissions"])


def _fields(given: Document, behaviour: tuple[str, ...]) -> Document:
    """Return the fields of a body but those of its permissions. Raises StreamError 4."""
    if unknown := sorted(given.keys() - KNOWN):
        raise StreamError(INPUT, f"unknown field {unknown[0]!r}", unknown[0])

    length = _whole(given.get("max_message_length"), "max_message_length")
    if not 0 < length <= LONGEST_TEXT:
        raise StreamError(INPUT, f"max_message_length must be 1 to {LONGEST_TEXT}")

    _one_of(given.get("automod"), "automod", AUTOMOD)
    _one_of(given.get("automod_behavior"), "automod_behavior", behaviour)
    for feature in given.keys() & set(FEATURES):
        checked(given[feature], bool, feature)

    for command in checked(given.get("commands", []), list, "commands"):
        _one_of(command, "commands", (*COMMANDS, ALL))

    return {one: value for one, value in given.items() if one not in ("grants", "permissions")}


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise StreamError(INPUT, f"{name} is a required field of type int", name)

    return value


def _one_of(value: Any, name: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise StreamError(INPUT, f"{name} must be one of [{' '.join(words)}]", name)


ROUTES = (
    *chat("GET", "/channeltypes", _list, server_only=True),
    *chat("POST", "/channeltypes", _create, server_only=True),
    *chat("GET", "/channeltypes/{name}", _get, server_only=True),
    *chat("PUT", "/channeltypes/{name}", _update, server_only=True),
)
