"""What a client knows and changes about itself; the platform names the client it means."""

from __future__ import annotations

from ..answers import Answer
from .call import Call, Route
from .clients import PROFILE
from .envelope import Refusal, success

# What stands for bytes that were no UTF-8.
REPLACED = "\N{REPLACEMENT CHARACTER}"


def _get(call: Call) -> Answer:
    with call.state.lock:
        return success(call.state.shown(call.known_subject()))


def _update(call: Call) -> Answer:
    given = call.document(PROFILE)
    with call.state.lock:
        me = call.known_subject()
        call.state.upsert(me, given, call.now)
        return success(call.state.shown(me))


def _count_unread(call: Call) -> Answer:
    """Answer with the unread messages in those of the client's rooms that have all of the tags."""
    tags = {value for name, value in call.query if name == "roomTags"}
    if any(not tag or REPLACED in tag for tag in tags):
        raise Refusal("INVALID_ROOM_TAGS", "Room tags must be valid strings")

    with call.state.lock:
        me = call.known_subject()
        rooms = [room for room in call.state.rooms.values() if me in room.members]
        counted = [room.unread(me) for room in rooms if tags.issubset(room.data["roomTags"])]

    return success({"badge": sum(counted)})


ROUTES = (
    Route("GET", "/me", _get),
    Route("POST", "/me", _update),
    Route("GET", "/me/badge", _count_unread),
)
