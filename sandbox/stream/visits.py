"""What users do in channels besides writing: read, hide, send events."""

from __future__ import annotations

import uuid

from .call import Call, Route
from .channels import find
from .errors import INPUT, StreamError
from .state import Channel, Document, now
from .users import public


def _hide(call: Call) -> Document:
    channel, user = find(call), call.acting_user(call.body, "hide")
    channel.hidden.add(user["id"])
    return {}


def _show(call: Call) -> Document:
    channel, user = find(call), call.acting_user(call.body, "show")
    channel.hidden.discard(user["id"])
    return {}


def _read(call: Call) -> Document:
    channel, user, moment = find(call), call.acting_user(call.body, "read"), now()
    channel.read[user["id"]] = {
        "user": public(user),
        "last_read": moment,
        "unread_messages": 0,
    }
    return {"event": _event("message.read", user, channel)}


def _unread(call: Call) -> Document:
    channel, user = find(call), call.acting_user(call.body, "unread")
    channel.read.pop(user["id"], None)
    return {}


def _read_all(call: Call) -> Document:
    user = call.acting_user(call.body, "read")
    return {"event": {"type": "message.read", "user": public(user), "created_at": now()}}


def _send_event(call: Call) -> Document:
    channel, event = find(call), call.part("event")
    if not event.get("type"):
        raise StreamError(INPUT, "event.type is a required field", {"event.type": "required"})

    user = call.acting_user(event, "event")
    rest = {key: event[key] for key in event if key not in ("user", "user_id")}
    return {"event": {**rest, **_event(event["type"], user, channel)}}


def _event(kind: str, user: Document, channel: Channel) -> Document:
    return {
        "type": kind,
        "id": str(uuid.uuid4()),
        "cid": channel.cid,
        "channel_type": channel.data["type"],
        "channel_id": channel.data["id"],
        "user": public(user),
        "created_at": now(),
    }


ROUTES = (
    Route("MarkChannelsRead", "POST", "/channels/read", _read_all),
    Route("HideChannel", "POST", "/channels/{type}/{id}/hide", _hide),
    Route("ShowChannel", "POST", "/channels/{type}/{id}/show", _show),
    Route("MarkRead", "POST", "/channels/{type}/{id}/read", _read),
    Route("MarkUnread", "POST", "/channels/{type}/{id}/unread", _unread),
    Route("SendEvent", "POST", "/channels/{type}/{id}/event", _send_event),
)
