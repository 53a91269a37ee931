"""Named things that are only kept: channel types, block lists, commands, roles, permissions.

They differ in words alone, so one table describes them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .call import Call, Family, Route
from .errors import INPUT, NOT_FOUND, StreamError
from .state import Document, now


@dataclass(frozen=True)
class Shelf:
    """One kind: its path, how one and many are named in answers, and its key field.

    `flat` kinds are answered without a name around them. `listed` says whether many are a map.
    """

    kind: str
    endpoint: str
    one: str
    many: str
    family: Family
    key: str = "name"
    required: tuple[str, ...] = ("name",)
    flat: bool = False
    as_map: bool = False


SHELVES = (
    Shelf(
        "channeltypes", "ChannelType", "channel_type", "channel_types", "chat",
        flat=True, as_map=True,
    ),
    Shelf(
        "blocklists", "BlockList", "blocklist", "blocklists", "common",
        required=("name", "words"),
    ),
    Shelf("commands", "Command", "command", "commands", "chat"),
    Shelf("roles", "Role", "role", "roles", "common"),
    Shelf(
        "permissions", "Permission", "permission", "permissions", "common",
        key="id", required=("id", "name", "action"),
    ),
)  # fmt: skip

ON = (
    *("typing_events", "read_events", "connect_events", "delivery_events", "custom_events"),
    *("search", "reactions", "replies", "quotes", "uploads", "mutes", "url_enrichment"),
    "push_notifications",
)
OFF = (
    *("count_messages", "mark_messages_pending", "polls", "reminders", "user_message_reminders"),
    *("shared_locations", "skip_last_msg_update_for_system_msgs"),
)
BUILT_IN_TYPES = ("messaging", "livestream", "team", "gaming", "commerce")
BUILT_IN_ROLES = ("user", "guest", "anonymous", "admin", "channel_member", "channel_moderator")


def stock() -> dict[str, dict[str, Document]]:
    """Return the shelves of a new app."""
    moment = now()
    shelves: dict[str, dict[str, Document]] = {shelf.kind: {} for shelf in SHELVES}
    for name in BUILT_IN_TYPES:
        shelves["channeltypes"][name] = _channel_type({"name": name}, moment)

    for name in BUILT_IN_ROLES:
        shelves["roles"][name] = {**_stamped({"name": name}), "custom": False, "scopes": []}

    shelves["permissions"]["create-channel"] = {
        "id": "create-channel", "name": "Create Channel", "action": "CreateChannel",
        "custom": False, "level": "app",
    }  # fmt: skip
    return shelves


def _channel_type(given: Document, moment: object) -> Document:
    return {
        **dict.fromkeys(ON, True),
        **dict.fromkeys(OFF, False),
        "automod": "disabled",
        "automod_behavior": "flag",
        "max_message_length": 5000,
        "message_retention": "infinite",
        "commands": [],
        "permissions": [],
        "grants": {},
        "created_at": moment,
        "updated_at": moment,
        **given,
    }


def _stamped(given: Document) -> Document:
    moment = now()
    return {**given, "created_at": moment, "updated_at": moment}


def _made(shelf: Shelf, given: Document) -> Document:
    if shelf.kind == "channeltypes":
        return _channel_type(given, now())

    extra = {"custom": True, "scopes": []} if shelf.kind == "roles" else {}
    return {**_stamped(given), **extra}


def _wrapped(shelf: Shelf, thing: Document) -> Document:
    return dict(thing) if shelf.flat else {shelf.one: thing}


def _create(shelf: Shelf) -> Callable[[Call], Document]:
    def create(call: Call) -> Document:
        for field in shelf.required:
            if not call.body.get(field):
                raise StreamError(INPUT, f"{field} is a required field", {field: "required"})

        name = str(call.body[shelf.key])
        if name in call.state.shelves[shelf.kind]:
            raise StreamError(INPUT, f"{shelf.one} {name!r} already exists", {shelf.key: "taken"})

        call.state.shelves[shelf.kind][name] = _made(shelf, call.body)
        return _wrapped(shelf, call.state.shelves[shelf.kind][name])

    return create


def _find(call: Call, shelf: Shelf) -> Document:
    name = call.params["name"]
    if name not in call.state.shelves[shelf.kind]:
        raise StreamError(NOT_FOUND, f"{shelf.one} {name!r} doesn't exist")

    return call.state.shelves[shelf.kind][name]


def _list(shelf: Shelf) -> Callable[[Call], Document]:
    def show(call: Call) -> Document:
        things = call.state.shelves[shelf.kind]
        return {shelf.many: dict(things) if shelf.as_map else list(things.values())}

    return show


def _get(shelf: Shelf) -> Callable[[Call], Document]:
    return lambda call: _wrapped(shelf, _find(call, shelf))


def _update(shelf: Shelf) -> Callable[[Call], Document]:
    def update(call: Call) -> Document:
        thing = _find(call, shelf)
        thing.update(call.body, updated_at=now())
        return _wrapped(shelf, thing)

    return update


def _delete(shelf: Shelf) -> Callable[[Call], Document]:
    def delete(call: Call) -> Document:
        _find(call, shelf)
        name = call.params["name"]
        del call.state.shelves[shelf.kind][name]
        return {"name": name} if shelf.kind == "commands" else {}

    return delete


def _routes(shelf: Shelf) -> tuple[Route, ...]:
    many, one, name = f"/{shelf.kind}", f"/{shelf.kind}/{{name}}", shelf.endpoint
    rows = (
        (f"Create{name}", "POST", many, _create(shelf)),
        (f"List{name}s", "GET", many, _list(shelf)),
        (f"Get{name}", "GET", one, _get(shelf)),
        (f"Update{name}", "PUT", one, _update(shelf)),
        (f"Delete{name}", "DELETE", one, _delete(shelf)),
    )
    return tuple(Route(*row, shelf.family, (1, 2), True) for row in rows)


ROUTES = tuple(route for shelf in SHELVES for route in _routes(shelf))
