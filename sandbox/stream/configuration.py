"""What a customer configures: types of channels, lists of blocked words."""

from __future__ import annotations

from .call import Call, endpoint
from .errors import INPUT, NOT_FOUND, StreamError
from .state import Document, now

ON = (
    *("typing_events", "read_events", "connect_events", "delivery_events", "custom_events"),
    *("search", "reactions", "replies", "quotes", "uploads", "mutes", "url_enrichment"),
    "push_notifications",
)
OFF = (
    *("count_messages", "mark_messages_pending", "polls", "reminders", "user_message_reminders"),
    *("shared_locations", "skip_last_msg_update_for_system_msgs"),
)
BUILT_IN_TYPES = ("messaging", "livestream", "team", "gaming", "commerce")
TEXT_LIMIT = 5_000


def built_in_types() -> dict[str, Document]:
    """Return the types that every app has, with all the fields that a typed SDK reads."""
    moment = now()
    shared: Document = {
        **dict.fromkeys(ON, True),
        **dict.fromkeys(OFF, False),
        "automod": "disabled",
        "automod_behavior": "flag",
        "max_message_length": TEXT_LIMIT,
        "message_retention": "infinite",
        "commands": [],
        "permissions": [],
        "grants": {},
        "created_at": moment,
        "updated_at": moment,
    }
    return {name: {"name": name, **shared} for name in BUILT_IN_TYPES}


def _list_types(call: Call) -> Document:
    return {"channel_types": call.state.channel_types}


def _create_block_list(call: Call) -> Document:
    name = call.part("name", str)
    if name in call.state.block_lists:
        raise StreamError(INPUT, f"blocklist {name!r} already exists", {"name": "taken"})

    words, moment = call.part("words", list), now()
    block_list = {"name": name, "words": words, "created_at": moment, "updated_at": moment}
    call.state.block_lists[name] = block_list
    return {"blocklist": block_list}


def _get_block_list(call: Call) -> Document:
    name = call.params["name"]
    if name not in call.state.block_lists:
        raise StreamError(NOT_FOUND, f"blocklist {name!r} doesn't exist")

    return {"blocklist": call.state.block_lists[name]}


ROUTES = (
    *endpoint("ListChannelTypes", "GET", "/channeltypes", _list_types, server_only=True),
    *endpoint(
        "CreateBlockList",
        "POST",
        "/blocklists",
        _create_block_list,
        family="common",
        server_only=True,
    ),
    *endpoint(
        "GetBlockList",
        "GET",
        "/blocklists/{name}",
        _get_block_list,
        family="common",
        server_only=True,
    ),
)
