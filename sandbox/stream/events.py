"""Events that users send in a channel: reading it, typing, and the customer's own."""

from __future__ import annotations

import uuid

from .call import Call, endpoint
from .channels import find
from .errors import INPUT, StreamError
from .state import Channel, Document, now
from .users import public


def _read(call: Call) -> Document:
    channel, user = find(call), call.acting_user(call.body, "read")
    channel.read[user["id"]] = {"user": public(user), "last_read": now(), "unread_messages": 0}
    return {"event": _event("message.read", user, channel)}


def _send(call: Call) -> Document:
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
    *endpoint("MarkRead", "POST", "/channels/{type}/{id}/read", _read),
    *endpoint("SendEvent", "POST", "/channels/{type}/{id}/event", _send),
)
