"""Rooms: enough to open one, find it again, and write in it. What is written is not kept."""

import secrets

from ..answers import Answer
from ..bodies import Field
from ..routing import Route
from .authentication import named_client
from .call import Call
from .errors import IMKitError, success
from .state import APP_ID, Document

ROOM = (
    *(Field(name, str) for name in ("_id", "name", "cover", "description", "roomType")),
    *(Field(name, list) for name in ("members", "roomTags")),
)
MESSAGE = tuple(
    Field(name, str, required=True) for name in ("message", "messageType", "room", "sender")
)


def _list(call: Call) -> Answer:
    """Answer with the rooms of a client, or with all where the platform names none."""
    me = named_client(call.request.head)
    if call.client_id is not None and me is None:
        raise IMKitError("INVALID_TOKEN", "IM-CLIENT-ID is required")

    with call.state.lock:
        rooms = [room for room in call.state.rooms.values() if me is None or me in room["members"]]

    return success({"totalCount": len(rooms), "data": rooms, "inspect": {}})


def _create(call: Call) -> Answer:
    """Make a room; who makes it is in it only if told so."""
    defaults = {"roomType": "group", "roomTags": [], "members": [], "unread": 0}
    room = {"_id": secrets.token_hex(12), **defaults, **call.document(ROOM), "appID": APP_ID}
    with call.state.lock:
        if room["_id"] in call.state.rooms:
            raise IMKitError("CONFLICT", "There is a room of that id already")

        call.state.rooms[room["_id"]] = room
        return success({**room, "id": room["_id"]})


def _get(call: Call) -> Answer:
    with call.state.lock:
        return success(_open(call, call.params["id"]))


def _send(call: Call) -> Answer:
    given = call.document(MESSAGE)
    with call.state.lock:
        _open(call, given["room"])
        sender = call.state.shown(call.known(given["sender"]))

    times = dict.fromkeys(("messageTimeMS", "createdAtMS", "updatedAtMS"), int(call.now * 1000))
    return success({**given, "_id": secrets.token_hex(12), **times, "sender": sender})


def _count_unread(call: Call) -> Answer:
    with call.state.lock:
        call.known(call.client_id or named_client(call.request.head))

    return success({"badge": 0})


def _open(call: Call, room_id: str) -> Document:
    """Return the room, if the caller is in it; who is not learns nothing about it."""
    room = call.state.rooms.get(room_id)
    if room is None or (call.client_id is not None and call.client_id not in room["members"]):
        raise IMKitError("ROOM_NOT_FOUND", "Room not found")

    return room


ROUTES = (
    Route("GET", "/rooms", _list),
    Route("POST", "/rooms", _create),
    Route("GET", "/rooms/{id}", _get),
    Route("GET", "/me/badge", _count_unread),
    Route("POST", "/messages", _send, server_only=True),
)
