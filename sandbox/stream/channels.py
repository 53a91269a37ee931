"""Channels: make, query, change, delete."""

from __future__ import annotations

import hashlib
import re

from . import members
from .call import Call, Route, page
from .errors import INPUT, StreamError
from .filters import arrange, matches
from .messages import compose
from .rendering import check_custom, split
from .state import Channel, Document, now
from .users import public

CHANNEL_ID = re.compile(r"[A-Za-z0-9_!-]{1,64}")
WRITABLE = {"team", "frozen", "disabled", "cooldown", "filter_tags", "auto_translation_enabled"}
WRITABLE |= {"auto_translation_language"}
NAMED = {"members", "invites", "created_by", "created_by_id", "config_overrides"}
OURS = NAMED | {"id", "type", "cid", "created_at", "updated_at", "last_message_at", "member_count"}
OURS |= {"config", "own_capabilities", "hidden", "deleted_at", "truncated_at", "message_count"}


def shown(call: Call, channel: Channel) -> Document:
    """Return a channel as it goes out, with its type's configuration."""
    config = call.state.shelves["channeltypes"].get(channel.data["type"], {})
    counts = {"member_count": len(channel.members), "message_count": len(channel.messages)}
    return {**channel.data, **counts, "config": config, "own_capabilities": []}


def _state(call: Call, channel: Channel, messages: int = 25) -> Document:
    recent = [call.state.messages[m] for m in channel.messages if m in call.state.messages]
    return {
        "channel": shown(call, channel),
        "members": members.shown(call, channel),
        "messages": [m for m in recent if not m.get("parent_id")][-messages:],
        "pinned_messages": [m for m in recent if m["pinned"]],
        "read": list(channel.read.values()),
        "threads": [],
        "watcher_count": 0,
    }


def _get_or_create(call: Call) -> Document:
    kind, channel_id = call.params["type"], call.params["id"]
    if kind not in call.state.shelves["channeltypes"]:
        raise StreamError(INPUT, f"channel type {kind!r} does not exist", {"type": "unknown"})

    data = call.body.get("data") or {}
    channel = call.state.channels.get(f"{kind}:{channel_id}")
    if channel is None:
        channel = _create(call, kind, channel_id, data)
        members.add(call, channel, data.get("members") or [])

    limit = (call.body.get("messages") or {}).get("limit", 25)
    return _state(call, channel, int(limit))


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


def _distinct(call: Call) -> Document:
    """Return the one channel of exactly these members."""
    wanted = members.ids((call.body.get("data") or {}).get("members") or [])
    if not wanted:
        raise StreamError(INPUT, "a channel without id needs members", {"members": "required"})

    digest = hashlib.sha256(",".join(sorted(wanted)).encode()).hexdigest()[:32]
    call.params = {**call.params, "id": f"!members-{digest}"}
    return _get_or_create(call)


def find(call: Call) -> Channel:
    """Return the channel that the path names. Raises StreamError 16."""
    return call.state.channel(call.params["type"], call.params["id"])


def _get(call: Call) -> Document:
    return _state(call, find(call))


def _query(call: Call) -> Document:
    limit, offset = page(call.body, 20, 30)
    conditions = call.body.get("filter_conditions") or {}
    found = []
    for channel in call.state.channels.values():
        facts = {
            **channel.data["custom"],
            **channel.data,
            "members": list(channel.members),
            "created_by_id": channel.data["created_by"]["id"],
            "member_count": len(channel.members),
        }
        if matches(facts, conditions):
            found.append(facts)

    page_of = arrange(found, call.body.get("sort"), limit, offset)
    kept = int(call.body.get("message_limit") or 25)
    return {"channels": [_state(call, call.state.channels[f["cid"]], kept) for f in page_of]}


def _update(call: Call) -> Document:
    channel = find(call)
    if isinstance(call.body.get("data"), dict):
        channel.data.update(split(call.body["data"], WRITABLE, OURS, call.version))
        channel.data["updated_at"] = now()

    members.change(call, channel)
    answer: Document = {"channel": shown(call, channel), "members": members.shown(call, channel)}
    if call.body.get("message"):
        answer["message"] = compose(call, channel, call.body["message"])

    return answer


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
    _drop(call, channel)
    return {"channel": {**shown(call, channel), "deleted_at": now()}}


def _drop(call: Call, channel: Channel) -> None:
    del call.state.channels[channel.cid]
    for message_id in channel.messages:
        call.state.messages.pop(message_id, None)


def _delete_many(call: Call) -> Document:
    found = [call.state.channel(*cid.split(":", 1)) for cid in call.part("cids", list)]
    for channel in found:
        _drop(call, channel)

    result = {channel.cid: {"status": "ok"} for channel in found}
    return {"task_id": call.state.finished_task(result), "result": result}


def _truncate(call: Call) -> Document:
    channel = find(call)
    for message_id in channel.messages:
        call.state.messages.pop(message_id, None)

    channel.messages.clear()
    channel.data["truncated_at"] = now()
    return {"channel": shown(call, channel)}


ROUTES = (
    Route("QueryChannels", "POST", "/channels", _query),
    Route("DeleteChannels", "POST", "/channels/delete", _delete_many, "chat", (1, 2), True),
    Route("GetOrCreateDistinctChannel", "POST", "/channels/{type}/query", _distinct),
    Route("GetOrCreateChannel", "POST", "/channels/{type}/{id}/query", _get_or_create),
    Route("GetChannel", "GET", "/channels/{type}/{id}", _get),
    Route("UpdateChannel", "POST", "/channels/{type}/{id}", _update),
    Route("UpdateChannelPartial", "PATCH", "/channels/{type}/{id}", _change),
    Route("DeleteChannel", "DELETE", "/channels/{type}/{id}", _delete),
    Route("TruncateChannel", "POST", "/channels/{type}/{id}/truncate", _truncate),
)
