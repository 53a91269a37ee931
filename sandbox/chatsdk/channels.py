"""Channels: enough for a client to open one and find it again."""

import uuid
from typing import Any

from ..answers import Answer, json_answer
from ..bodies import Field
from ..routing import Route
from ..times import iso
from .call import Call
from .errors import of_body
from .state import Channel

DIRECT = "messaging"
OPEN = ("public", "team")
CHANNEL = (
    *(Field(name, str) for name in ("type", "name", "image")),
    *(Field("memberIds", list), Field("config", dict)),
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
        raise of_body("memberIds")

    channel_id = str(uuid.uuid4())
    own_part = "-".join(sorted([me, str(others[0])])) if kind == DIRECT else channel_id
    cid = f"{kind}:{own_part}"
    with call.state.lock:
        if cid in call.state.channels:
            place = f"/api/channels/{call.state.channels[cid].data['id']}"
            return Answer(303, ((b"location", place.encode()),))

        channel = _made(call, channel_id, cid, given)
        call.state.channels[cid] = channel
        return json_answer(201, _shown(channel, me))


def _made(call: Call, channel_id: str, cid: str, given: dict[str, Any]) -> Channel:
    me, moment = call.acting_user(), iso(call.now)
    roles = {**dict.fromkeys(map(str, given.get("memberIds", [])), "member"), me: "owner"}
    told = {name: given.get(name) for name in ("name", "image", "config")}
    identity = {"id": channel_id, "cid": cid, "type": cid.partition(":")[0]}
    return Channel({**told, **identity, "createdBy": me, "createdAt": moment}, roles)


def _shown(channel: Channel, user_id: str) -> dict[str, Any]:
    counts = {"memberCount": len(channel.roles), "messageCount": 0}
    return {**channel.data, **counts, "role": channel.roles.get(user_id)}


ROUTES = (Route("GET", "/api/channels", _list), Route("POST", "/api/channels", _create))
