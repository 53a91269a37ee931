"""Channels: enough for a client to open one and find it again."""

import uuid

from ..answers import Answer, json_answer
from ..bodies import Field
from ..routing import Route
from ..times import iso
from .call import Call
from .errors import of_body

DIRECT = "messaging"
CHANNEL = (
    *(Field(name, str) for name in ("type", "name", "image")),
    *(Field("memberIds", list), Field("config", dict)),
)


def _list(call: Call) -> Answer:
    """Answer with the channels that the caller is in."""
    me = call.acting_user("chat:read")
    with call.state.lock:
        mine = [one for one in call.state.channels.values() if me in one["memberIds"]]

    return json_answer(200, {"channels": mine})


def _create(call: Call) -> Answer:
    """Make a channel; a direct one that exists is pointed to instead."""
    me, given = call.acting_user("channel:create"), call.document(CHANNEL)
    kind, channel_id = given.get("type", DIRECT), str(uuid.uuid4())
    members = [me, *given.get("memberIds", [])]
    if kind == DIRECT and len(members) != 2:
        raise of_body("memberIds")

    own_part = "-".join(sorted(map(str, members))) if kind == DIRECT else channel_id
    cid, moment = f"{kind}:{own_part}", iso(call.now)
    channel = {**given, "id": channel_id, "cid": cid, "type": kind, "memberIds": members}
    with call.state.lock:
        kept = call.state.channels.setdefault(cid, {**channel, "createdAt": moment})

    if kept["id"] != channel_id:
        return Answer(303, ((b"location", f"/api/channels/{kept['id']}".encode()),))

    return json_answer(201, kept)


ROUTES = (Route("GET", "/api/channels", _list), Route("POST", "/api/channels", _create))
