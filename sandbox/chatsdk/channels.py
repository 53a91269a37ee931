"""Channels and their messages: enough for a client to open one, write and read."""

from __future__ import annotations

import uuid

from ..answers import Answer, json_answer
from .call import Call, Route
from .errors import of_api, of_body
from .state import Channel, Document, iso
from .validation import Field, Issue, mapping, one_of, text, texts, url

DIRECT = "messaging"
OPEN = ("public", "team")
CHANNEL = (
    Field("type", one_of(DIRECT, "group", "team", "livestream", "public", "private")),
    Field("name", text()),
    Field("image", url),
    Field("memberIds", texts),
    Field("config", mapping),
)
MESSAGE = (
    Field("text", text(least=1, most=10_000), required=True),
    Field("clientMsgId", text()),
)


def _list(call: Call) -> Answer:
    """Answer with the caller's channels and those open to everybody."""
    me = call.acting_user()
    with call.state.lock:
        found = [
            _shown(channel, me)
            for channel in call.state.channels.values()
            if me in channel.roles or channel.data["type"] in OPEN
        ]

    return json_answer(200, {"channels": found})


def _create(call: Call) -> Answer:
    """Make a channel; a direct one that exists is pointed to instead."""
    me, given = call.acting_user(), call.document(CHANNEL)
    kind, others = given.get("type", DIRECT), given.get("memberIds", [])
    if kind == DIRECT and len(others) != 1:
        wanted = "Direct messages require exactly one member ID"
        raise of_body([Issue("custom", ["memberIds"], wanted)])

    channel_id = str(uuid.uuid4())
    own_part = "-".join(sorted([me, *others])) if kind == DIRECT else channel_id
    with call.state.lock:
        for channel in call.state.channels.values():
            if channel.data["cid"] == f"{kind}:{own_part}":
                place = f"/api/channels/{channel.data['id']}".encode()
                return Answer(303, ((b"location", place),))

        channel = _made(call, channel_id, f"{kind}:{own_part}", given)
        call.state.channels[channel_id] = channel
        return json_answer(201, _shown(channel, me))


def _made(call: Call, channel_id: str, cid: str, given: Document) -> Channel:
    me = call.acting_user()
    roles = {**dict.fromkeys(given.get("memberIds", []), "member"), me: "owner"}
    data = {
        "id": channel_id,
        "cid": cid,
        "type": cid.partition(":")[0],
        "name": given.get("name"),
        "image": given.get("image"),
        "config": given.get("config", {}),
        "createdBy": me,
        "createdAt": iso(call.now),
        "updatedAt": iso(call.now),
    }
    return Channel(data, roles)


def _get(call: Call) -> Answer:
    me, channel_id = call.acting_user(), call.params["id"]
    with call.state.lock:
        if channel_id not in call.state.channels:
            raise of_api(404, "Channel not found")

        channel = call.state.channels[channel_id]
        members = [
            {"userId": user_id, "role": role, "user": call.state.shown(user_id)}
            for user_id, role in channel.roles.items()
        ]
        return json_answer(200, {**_shown(channel, me), "members": members})


def _send(call: Call) -> Answer:
    """Keep a message; one whose id of the client's is known already is not kept again."""
    me, given = call.acting_user(), call.document(MESSAGE)
    with call.state.lock:
        messages = _of_member(call, me).messages
        message_id = given.get("clientMsgId") or str(uuid.uuid4())
        for known in messages:
            if known["id"] == message_id:
                told = {"id": message_id, "seq": known["seq"], "status": "sent"}
                return json_answer(200, {**told, "duplicate": True})

        moment = iso(call.now)
        message = {
            **{"id": message_id, "clientMsgId": message_id, "seq": len(messages) + 1},
            **{"channelId": call.params["id"], "cid": call.params["id"]},
            **{"userId": me, "user": call.state.shown(me), "type": "regular"},
            **{"text": given["text"], "attachments": [], "mentions": [], "reactions": []},
            **{"status": "sent", "createdAt": moment, "updatedAt": moment},
        }
        messages.append(message)
        return json_answer(201, message)


def _read(call: Call) -> Answer:
    me = call.acting_user()
    with call.state.lock:
        messages = list(_of_member(call, me).messages)

    told = {"messages": messages, "maxSeq": len(messages), "hasMore": False}
    return json_answer(200, told)


def _of_member(call: Call, user_id: str) -> Channel:
    """Return the channel, if the user is in it; who is not learns nothing about it."""
    channel = call.state.channels.get(call.params["id"])
    if channel is None or user_id not in channel.roles:
        raise of_api(403, "Not a member of this channel")

    return channel


def _shown(channel: Channel, user_id: str) -> Document:
    last = channel.messages[-1]["createdAt"] if channel.messages else None
    counts = {"memberCount": len(channel.roles), "messageCount": len(channel.messages)}
    return {**channel.data, **counts, "lastMessageAt": last, "role": channel.roles.get(user_id)}


ROUTES = (
    Route("GET", "/api/channels", _list),
    Route("POST", "/api/channels", _create),
    Route("GET", "/api/channels/{id}", _get),
    Route("GET", "/api/channels/{id}/messages", _read),
    Route("POST", "/api/channels/{id}/messages", _send),
)
