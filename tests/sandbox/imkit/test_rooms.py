"""A client's own data, rooms, messages."""

import time
from typing import Any

import pytest

from tests.sandbox.imkit.caller import APP, PLATFORM, Caller, named, token

BODY_WRONG = (400, "INVALID_BODY")
NO_ROOM = (404, "ROOM_NOT_FOUND")


@pytest.fixture(autouse=True)
def _clients(caller: Caller) -> None:
    for name in ("ann", "bob", "eve"):
        caller.client(name)


def lines(name: str) -> tuple[str, str, str]:
    return APP, token(f"token-of-{name}"), named(name)


def room(caller: Caller, room_id: str = "r", **given: Any) -> None:
    caller.done("POST", "/rooms", {"_id": room_id, "members": ["ann", "bob"], **given})


def say(caller: Caller, text: str, room_id: str = "r", sender: str = "ann") -> Any:
    sent = {"message": text, "messageType": "text", "room": room_id, "sender": sender}
    return caller.done("POST", "/messages", sent)


def test_a_client_changes_itself_alone(caller: Caller) -> None:
    told = caller.done("POST", "/me", {"_id": "bob", "nickname": "Ann"}, *lines("ann"))
    assert (told["_id"], told["nickname"]) == ("ann", "Ann")

    assert caller.done("GET", "/me", None, *lines("ann")) == told
    assert "nickname" not in caller.done("GET", "/me", None, *lines("bob"))
    assert caller.refused("POST", "/me", {"email": 7}, *lines("ann")) == BODY_WRONG


def test_a_room_is_opened_written_to_and_read(caller: Caller) -> None:
    made = caller.done("POST", "/rooms/", {"name": "R", "members": ["ann", "bob", "ann"]})
    assert made["members"] == ["ann", "bob"]
    assert (made["roomType"], made["roomTags"], made["botMode"]) == ("group", [], False)
    assert abs(made["createdTimeMS"] / 1000 - time.time()) < 5

    sent = say(caller, "hi", made["_id"])
    assert (sent["room"], sent["sender"]["_id"]) == (made["_id"], "ann")
    assert (sent["id"], sent["messageType"]) == (sent["_id"], "text")
    assert sent["messageTimeMS"] == sent["createdAtMS"] == sent["updatedAtMS"]
    path = f"/rooms/{made['_id']}"
    told = caller.done("GET", f"{path}/messages/v3", None, *lines("bob"))
    assert (told["totalCount"], told["data"], told["userDeletedIDs"]) == (1, [sent], [])

    shown = caller.done("GET", path, None, *lines("bob"))
    assert [member["_id"] for member in shown["members"]] == ["ann", "bob"]
    assert (shown["name"], shown["lastMessage"], shown["unread"]) == ("R", sent, 1)
    for asked in (lines("ann"), [PLATFORM]):
        assert caller.done("GET", path, None, *asked)["unread"] == 0


def test_a_room_is_told_back_as_it_was_made(caller: Caller) -> None:
    texts = dict.fromkeys(("name", "cover", "description", "webhook", "extParams"), "t")
    given = {"_id": "r", **texts, "roomType": "direct", "roomTags": ["x"], "botMode": True}
    made = caller.done("POST", "/rooms", {**given, "members": ["ann", "stranger"], "other": 1})

    own = {"id": "r", "appID": "sandbox", "createdTimeMS": made["createdTimeMS"]}
    assert made == {**given, **own, "members": ["ann", "stranger"]}
    members = caller.done("GET", "/rooms/r", None, *lines("ann"))["members"]
    assert members[1] == {"_id": "stranger", "id": "stranger", "appID": "sandbox"}


def test_a_client_lists_its_own_rooms_and_the_platform_all(caller: Caller) -> None:
    room(caller, "a")
    room(caller, "b", members=["bob"])
    room(caller, "c/d")

    def listed(query: str, *asked: str) -> tuple[int, list[str]]:
        told = caller.done("GET", f"/rooms{query}", None, *asked)
        assert told.keys() == {"totalCount", "data", "inspect"}
        return told["totalCount"], [one["_id"] for one in told["data"]]

    assert listed("", *lines("ann")) == (2, ["a", "c/d"])
    assert listed("?skip=1&limit=1", *lines("bob")) == (3, ["b"])
    assert listed("", PLATFORM) == (3, ["a", "b", "c/d"])
    assert listed("", PLATFORM, named("ann")) == (2, ["a", "c/d"])
    assert caller.done("GET", "/rooms/c%2Fd", None, *lines("ann"))["id"] == "c/d"


def test_the_list_needs_the_clients_id(caller: Caller) -> None:
    app, mine, _ = lines("ann")
    assert caller.refused("GET", "/rooms", None, app, mine) == (401, "INVALID_TOKEN")
    assert caller.refused("GET", "/rooms", None, app, mine, named("bob")) == (401, "INVALID_TOKEN")


@pytest.mark.parametrize("path", ["/rooms/r", "/rooms/r/messages/v3"])
def test_who_is_not_in_a_room_learns_nothing_of_it(caller: Caller, path: str) -> None:
    room(caller)
    assert caller.refused("GET", path, None, *lines("eve")) == NO_ROOM
    assert caller.refused("GET", path.replace("/r/", "/none/"), None, *lines("eve")) == NO_ROOM
    assert caller.done("GET", path)


def test_a_room_is_not_made_twice(caller: Caller) -> None:
    room(caller)
    taken = {"_id": "r", "members": ["eve"]}
    assert caller.refused("POST", "/rooms", taken, *lines("eve")) == (409, "CONFLICT")
    assert caller.refused("GET", "/rooms/r", None, *lines("eve")) == NO_ROOM


@pytest.mark.parametrize(
    "changes",
    [
        {"_id": ""},
        {"name": 7},
        {"cover": None},
        {"roomType": "secret"},
        {"members": "ann"},
        {"members": [7]},
        {"roomTags": [None]},
        {"botMode": 1},
    ],
)
def test_a_bad_room_is_refused(caller: Caller, changes: dict[str, Any]) -> None:
    assert caller.refused("POST", "/rooms", changes, *lines("ann")) == BODY_WRONG
    assert caller.done("GET", "/rooms")["totalCount"] == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"room": "none"}, NO_ROOM),
        ({"sender": "nobody"}, (404, "CLIENT_NOT_FOUND")),
        ({"message": 7}, BODY_WRONG),
        ({"messageType": ""}, BODY_WRONG),
        ({"message": ...}, (400, "MISSING_PARAMETER")),
        ({"messageType": ...}, (400, "MISSING_PARAMETER")),
        ({"room": ...}, (400, "MISSING_PARAMETER")),
        ({"sender": ...}, (400, "MISSING_PARAMETER")),
    ],
)
def test_a_bad_message_is_refused(
    caller: Caller, changes: dict[str, Any], told: tuple[int, str]
) -> None:
    room(caller)
    whole = {"message": "hi", "messageType": "text", "room": "r", "sender": "ann", **changes}
    document = {name: value for name, value in whole.items() if value is not ...}

    assert caller.refused("POST", "/messages/", document) == told
    assert caller.done("GET", "/rooms/r/messages/v3")["totalCount"] == 0


@pytest.mark.parametrize(("query", "first", "count"), [("", 5, 20), ("?limit=3", 22, 3)])
def test_the_newest_messages_are_read(caller: Caller, query: str, first: int, count: int) -> None:
    room(caller)
    for number in range(25):
        say(caller, str(number))

    told = caller.done("GET", f"/rooms/r/messages/v3{query}", None, *lines("bob"))
    assert told["totalCount"] == 25
    assert [one["message"] for one in told["data"]] == [str(first + n) for n in range(count)]


def test_no_message_is_read_where_none_is_asked_for(caller: Caller) -> None:
    room(caller)
    say(caller, "hi")
    assert caller.done("GET", "/rooms/r/messages/v3?limit=0")["data"] == []


@pytest.mark.parametrize(
    ("query", "badge"),
    [("", 3), ("?tag=z", 3), ("?roomTags=x", 3), ("?roomTags=x&roomTags=y", 1), ("?roomTags=z", 0)],
)
def test_the_badge_counts_what_others_wrote(caller: Caller, query: str, badge: int) -> None:
    room(caller, "r", roomTags=["x"])
    room(caller, "s", roomTags=["x", "y"])
    room(caller, "t", members=["ann"])
    for room_id in ("r", "r", "s", "t"):
        say(caller, "hi", room_id)

    assert caller.done("GET", f"/me/badge{query}", None, *lines("bob")) == {"badge": badge}
    assert caller.done("GET", f"/me/badge{query}", None, *lines("ann")) == {"badge": 0}


@pytest.mark.parametrize("query", ["roomTags=", "roomTags=x&roomTags=", "roomTags=%ff"])
def test_bad_tags_are_refused(caller: Caller, query: str) -> None:
    told = caller.refused("GET", f"/me/badge?{query}", None, *lines("bob"))
    assert told == (400, "INVALID_ROOM_TAGS")
