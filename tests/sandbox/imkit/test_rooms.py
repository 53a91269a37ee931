"""Rooms, and who may see them."""

import pytest

from tests.sandbox.imkit.caller import APP, PLATFORM, Caller, named, token

NO_ROOM = (404, "ROOM_NOT_FOUND")


@pytest.fixture(autouse=True)
def _clients(caller: Caller) -> None:
    for name in ("ann", "bob", "eve"):
        caller.client(name)

    caller.done("POST", "/rooms/", {"_id": "r", "name": "R", "members": ["ann", "bob"]})


def lines(name: str) -> tuple[str, str, str]:
    return APP, token(f"token-of-{name}"), named(name)


def test_a_room_is_found_by_its_members_and_the_platform(caller: Caller) -> None:
    for asked in (lines("ann"), lines("bob"), (PLATFORM,), (PLATFORM, named("ann"))):
        told = caller.done("GET", "/rooms", None, *asked)
        assert (told["totalCount"], told["data"][0]["name"]) == (1, "R")
        assert caller.done("GET", "/rooms/r", None, *asked)["roomType"] == "group"

    assert caller.done("GET", "/rooms", None, *lines("eve"))["data"] == []


def test_a_message_is_told_back_with_its_sender(caller: Caller) -> None:
    sent = {"message": "hi", "messageType": "text", "room": "r", "sender": "ann"}
    told = caller.done("POST", "/messages", sent)

    assert (told["message"], told["sender"]["_id"]) == ("hi", "ann")
    assert caller.refused("POST", "/messages", {**sent, "room": "none"}) == NO_ROOM
    unknown = caller.refused("POST", "/messages", {**sent, "sender": "none"})
    assert unknown == (404, "CLIENT_NOT_FOUND")


def test_the_list_needs_the_clients_id(caller: Caller) -> None:
    app, mine, _ = lines("ann")
    assert caller.refused("GET", "/rooms", None, app, mine) == (401, "INVALID_TOKEN")
    assert caller.refused("GET", "/rooms", None, app, mine, named("bob")) == (401, "INVALID_TOKEN")


@pytest.mark.parametrize("path", ["/rooms/r", "/rooms/none"])
def test_who_is_not_in_a_room_learns_nothing_of_it(caller: Caller, path: str) -> None:
    assert caller.refused("GET", path, None, *lines("eve")) == NO_ROOM


def test_a_room_is_not_made_twice(caller: Caller) -> None:
    assert caller.refused("POST", "/rooms", {"_id": "r"}) == (409, "CONFLICT")
