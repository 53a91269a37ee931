"""Channels: make, query, change, delete, and the events that users send in them."""

import re
import uuid

from . import members
from .call import Call, chat
from .errors import INPUT, StreamError
from .filters import select
from .rendering import change, split
from .state import Channel, Document, now, stamps
from .users import public

RECENT = 25
CHANNEL_ID = re.compile(r"[A-Za-z0-9_!-]{1,64}")
WRITABLE = {"team", "frozen", "disabled", "cooldown"}


def _find(call: Call) -> Channel:
    return call.state.channel(call.params["type"], call.params["id"])


def _shown(call: Call, channel: Channel) -> Document:
    config = call.state.channel_types[channel.data["type"]]
    counts = {"member_count": len(channel.members), "message_count": len(channel.messages)}
    return {**channel.data, **counts, "config": config, "own_capabilities": []}


def _state(call: Call, channel: Channel) -> Document:
    messages = [call.state.messages[message_id] for message_id in channel.messages]
    return {
        "channel": _shown(call, channel),
        "members": members.shown(call, channel),
        "messages": [m for m in messages if not m.get("parent_id")][-RECENT:],
        "pinned_messages": [m for m in messages if m["pinned"]],
        "read": list(channel.read.values()),
        "threads": [],
        "watcher_count": 0,
    }


def _get_or_create(call: Call) -> Document:
    kind, data = call.params["type"], call.body.get("data") or {}
    if kind not in call.state.channel_types:
        raise StreamError(INPUT, f"channel type {kind!r} does not exist", "type")

    channel = call.state.channels.get(f"{kind}:{call.params['id']}")
    if channel is None:
        channel = _create(call, kind, call.params["id"], data)
        members.add(call, channel, data.get("members") or [])

    return _state(call, channel)


def _create(call: Call, kind: str, channel_id: str, data: Document) -> Channel:
    if not CHANNEL_ID.fullmatch(channel_id):
        raise StreamError(INPUT, "invalid channel id: a-z, A-Z, 0-9, _, ! and - only", "id")

    created_by = call.acting_user(data, "data", "created_by")
    document = {
        "id": channel_id,
        "type": kind,
        "cid": f"{kind}:{channel_id}",
        "created_by": public(created_by),
        **stamps(),
        "frozen": False,
        "disabled": False,
        **split(data, WRITABLE, call.version),
    }
    return call.state.channels.setdefault(document["cid"], Channel(document))


def _query(call: Call) -> Document:
    facts = [channel.facts() for channel in call.state.channels.values()]
    chosen = [call.state.channels[one["cid"]] for one in select(facts, call.body, 30)]
    return {"channels": [_state(call, channel) for channel in chosen]}


def _update(call: Call) -> Document:
    channel = _find(call)
    members.update(call, channel)
    return {"channel": _shown(call, channel), "members": members.shown(call, channel)}


def _change(call: Call) -> Document:
    channel = _find(call)
    change(channel.data, call.body, WRITABLE)
    return {"channel": _shown(call, channel), "members": members.shown(call, channel)}


def _delete(call: Call) -> Document:
    channel = _find(call)
    del call.state.channels[channel.cid]
    for message_id in channel.messages:
        del call.state.messages[message_id]

    return {"channel": {**_shown(call, channel), "deleted_at": now()}}


def _mark_read(call: Call) -> Document:
    channel, user = _find(call), call.acting_user(call.body, "read")
    channel.read[user["id"]] = {"user": public(user), "last_read": now(), "unread_messages": 0}
    return {"event": _event("message.read", user, channel)}


def _send_event(call: Call) -> Document:
    channel, event = _find(call), call.part("event")
    user = call.acting_user(event, "event")
    return {"event": {**event, **_event(event["type"], user, channel)}}


def _event(kind: str, user: Document, channel: Channel) -> Document:
    data = channel.data
    place = {"cid": data["cid"], "channel_type": data["type"], "channel_id": data["id"]}
    own = {"type": kind, "id": str(uuid.uuid4()), "user": public(user), "created_at": now()}
    return {**place, **own}


CHANNEL = "/channels/{type}/{id}"
ROUTES = (
    *chat("POST", "/channels", _query),
    *chat("POST", f"{CHANNEL}/query", _get_or_create),
    *chat("POST", CHANNEL, _update),
    *chat("PATCH", CHANNEL, _change),
    *chat("DELETE", CHANNEL, _delete),
    *chat("POST", f"{CHANNEL}/read", _mark_read),
    *chat("POST", f"{CHANNEL}/event", _send_event),
)
