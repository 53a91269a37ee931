"""Channels: make, query, change, delete."""

from __future__ import annotations

import re

from . import members
from .call import Call, endpoint, page
from .errors import INPUT, StreamError
from .filters import arrange, matches
from .rendering import check_custom, split
from .state import Channel, Document, now
from .users import public

RECENT = 25
CHANNEL_ID = re.compile(r"[A-Za-z0-9_!-]{1,64}")
WRITABLE = {"team", "frozen", "disabled", "cooldown", "filter_tags", "auto_translation_enabled"}
WRITABLE |= {"auto_translation_language"}
NAMED = {"members", "invites", "created_by", "created_by_id", "config_overrides"}
OURS = NAMED | {"id", "type", "cid", "created_at", "updated_at", "last_message_at", "member_count"}
OURS |= {"config", "own_capabilities", "hidden", "deleted_at", "truncated_at", "message_count"}


def shown(call: Call, channel: Channel) -> Document:
    """Return a channel as it goes out, with its type's configuration."""
    config = call.state.channel_types[channel.data["type"]]
    counts = {"member_count": len(channel.members), "message_count": len(channel.messages)}
    return {**channel.data, **counts, "config": config, "own_capabilities": []}


def _state(call: Call, channel: Channel) -> Document:
    recent = [call.state.messages[m] for m in channel.messages if m in call.state.messages]
    return {
        "channel": shown(call, channel),
        "members": members.shown(call, channel),
        "messages": [m for m in recent if not m.get("parent_id")][-RECENT:],
        "pinned_messages": [m for m in recent if m["pinned"]],
        "read": list(channel.read.values()),
        "threads": [],
        "watcher_count": 0,
    }


def _get_or_create(call: Call) -> Document:
    kind, channel_id = call.params["type"], call.params["id"]
    if kind not in call.state.channel_types:
        raise StreamError(INPUT, f"channel type {kind!r} does not exist", {"type": "unknown"})

    data = call.body.get("data") or {}
    channel = call.state.channels.get(f"{kind}:{channel_id}")
    if channel is None:
        channel = _create(call, kind, channel_id, data)
        members.add(call, channel, data.get("members") or [])

    return _state(call, channel)


def _create(call: Call, kind: str, channel_id: str, data: Document) -> Channel:
    if not CHANNEL_ID.fullmatch(channel_id):
        raise StreamError(INPUT, "invalid channel id", {"id": "a-z, A-Z, 0-9, _, ! and - only"})

    created_by, moment = call.acting_user(data, "data", "created_by"), now()
    fields = split(data, WRITABLE, OURS, call.version)
    document = {
        "id": channel_id,
        "type": kind,
        "cid": f"{kind}:{channel_id}",
        "created_by": public(created_by),
        "created_at": moment,
        "updated_at": moment,
        "frozen": False,
        "disabled": False,
        **fields,
    }
    return call.state.channels.setdefault(document["cid"], Channel(document))


def find(call: Call) -> Channel:
    """Return the channel that the path names. Raises StreamError 16."""
    return call.state.channel(call.params["type"], call.params["id"])


def _query(call: Call) -> Document:
    limit, offset = page(call.body, 20, 30)
    conditions = call.body.get("filter_conditions") or {}
    facts = [channel.facts() for channel in call.state.channels.values()]
    found = [one for one in facts if matches(one, conditions)]
    page_of = arrange(found, call.body.get("sort"), limit, offset)
    return {"channels": [_state(call, call.state.channels[one["cid"]]) for one in page_of]}


def _update(call: Call) -> Document:
    channel = find(call)
    members.change(call, channel)
    return {"channel": shown(call, channel), "members": members.shown(call, channel)}


def _change(call: Call) -> Document:
    channel = find(call)
    for field, value in (call.body.get("set") or {}).items():
        if field in WRITABLE:
            channel.data[field] = value
        elif field not in OURS:
            channel.data["custom"][field] = value

    for field in call.body.get("unset") or []:
        channel.data["custom"].pop(field, None)

    check_custom(channel.data["custom"])
    channel.data["updated_at"] = now()
    return {"channel": shown(call, channel), "members": members.shown(call, channel)}


def _delete(call: Call) -> Document:
    channel = find(call)
    del call.state.channels[channel.cid]
    for message_id in channel.messages:
        call.state.messages.pop(message_id, None)

    return {"channel": {**shown(call, channel), "deleted_at": now()}}


CHANNEL = "/channels/{type}/{id}"
ROUTES = (
    *endpoint("QueryChannels", "POST", "/channels", _query),
    *endpoint("GetOrCreateChannel", "POST", f"{CHANNEL}/query", _get_or_create),
    *endpoint("UpdateChannel", "POST", CHANNEL, _update),
    *endpoint("UpdateChannelPartial", "PATCH", CHANNEL, _change),
    *endpoint("DeleteChannel", "DELETE", CHANNEL, _delete),
)
