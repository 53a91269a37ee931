"""Rooms and their messages: enough to open one, write, and see what is unread.

Of the parameters of a list only those that page it are read.
"""

import secrets

from ..answers import Answer
from ..bodies import Field
from ..routing import Route
from .authentication import named_client
from .call import Call
from .errors import IMKitError, success
from .state import APP_ID, Document, Room

TEXTS = ("_id", "name", "cover", "description", "webhook", "extParams", "roomType")
ROOM = (*(Field(name, str) for name in TEXTS), Field("members", list), Field("roomTags", list))
MESSAGE = tuple(
    Field(name, str, required=True) for name in ("message", "messageType", "room", "sender")
)


def _list(call: Call) -> Answer:
    """Answer with the rooms of a client, or with all where the platform names none."""
    if call.client_id is not None and named_client(call.head) is None:
        raise IMKitError("INVALID_TOKEN", "IM-CLIENT-ID is required")

    skip, limit, me = call.number("skip", 0), call.number("limit", 0), call.subject()
    with call.state.lock:
        rooms = [room for room in call.state.rooms.values() if me is None or me in room.members]
        shown = [_shown(call, room) for room in rooms]

    page = shown[skip : skip + limit if limit else None]
    return success({"totalCount": len(shown), "data": page, "inspect": {"query": {}, "tookMS": 0}})


def _create(call: Call) -> Answer:
    """Make a room; who makes it is in it only if told so."""
    given = call.document(ROOM)
    room_id = given.get("_id") or secrets.token_hex(12)
    members = list(dict.fromkeys(map(str, given.pop("members", []))))
    defaults = {"roomType": "group", "roomTags": [], "botMode": False}
    own = {"_id": room_id, "id": room_id, "appID": APP_ID, "createdTimeMS": int(call.now * 1000)}
    room = Room({**defaults, **given, **own}, members)
    with call.state.lock:
        if room_id in call.state.rooms:
            raise IMKitError("CONFLICT", "There is a room of that id already")

        call.state.rooms[room_id] = room

    return success({**room.data, "members": members})


def _get(call: Call) -> Answer:
    with call.state.lock:
        return success(_shown(call, _open(call, call.params["id"])))


def _send(call: Call) -> Answer:
    given = call.document(MESSAGE)
    times = dict.fromkeys(("messageTimeMS", "createdAtMS", "updatedAtMS"), int(call.now * 1000))
    message_id = secrets.token_hex(12)
    message = {**given, "_id": message_id, "id": message_id, "appID": APP_ID, **times}
    with call.state.lock:
        room = _open(call, given["room"])
        call.known(given["sender"])
        room.messages.append(message)
        return success({**message, "sender": call.state.shown(given["sender"])})


def _count_unread(call: Call) -> Answer:
    """Answer with the unread messages in those of the client's rooms that have all of the tags."""
    tags = {value for name, value in call.query if name == "roomTags"}
    with call.state.lock:
        me = call.known(call.subject())
        rooms = [room for room in call.state.rooms.values() if me in room.members]
        counted = [room.unread(me) for room in rooms if tags.issubset(room.data["roomTags"])]

    return success({"badge": sum(counted)})


def _open(call: Call, room_id: str) -> Room:
    """Return the room, if the caller is in it; who is not learns nothing about it."""
    room = call.state.rooms.get(room_id)
    if room is None or (call.client_id is not None and call.client_id not in room.members):
        raise IMKitError("ROOM_NOT_FOUND", "Room not found")

    return room


def _shown(call: Call, room: Room) -> Document:
    me = call.subject()
    members = [call.state.shown(client_id) for client_id in room.members]
    return {**room.data, "members": members, "unread": 0 if me is None else room.unread(me)}


ROUTES = (
    Route("GET", "/rooms", _list),
    Route("POST", "/rooms", _create),
    Route("GET", "/rooms/{id}", _get),
    Route("GET", "/me/badge", _count_unread),
    Route("POST", "/messages", _send, server_only=True),
)
