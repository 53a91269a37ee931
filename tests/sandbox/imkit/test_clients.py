"""Clients as the platform makes, changes and lists them."""

import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.imkit import IMKitSandbox
from tests.sandbox.imkit.caller import APP, DAY, Caller, iso, token

CLIENTS = "/admin/clients"
ANN = {
    "_id": "ann",
    "nickname": "Ann",
    "avatarUrl": "https://a.example/ann.png",
    "email": "ann@a.example",
    "description": "",
    "publicKey": "k",
}
BODY_WRONG = (400, "INVALID_BODY")
MISSING = (400, "MISSING_PARAMETER")
QUERY_WRONG = (400, "INVALID_REQUEST")


def test_a_client_is_made(caller: Caller, imkit: IMKitSandbox) -> None:
    told = caller.done("POST", CLIENTS, {**ANN, "shoe": 41})

    assert told["updatedAt"].endswith("Z")
    own = {"id": "ann", "appID": "sandbox", "updatedAt": told["updatedAt"], "lastLoginTimeMS": 0}
    assert told == {**ANN, **own}
    assert imkit.clients["ann"]["nickname"] == "Ann"
    assert imkit.tokens == {}


def test_what_is_left_out_stays(caller: Caller, imkit: IMKitSandbox) -> None:
    caller.client("ann")
    caller.done("POST", CLIENTS, ANN)
    told = caller.done("POST", CLIENTS, {"_id": "ann", "nickname": "Anna"})

    assert (told["nickname"], told["email"]) == ("Anna", "ann@a.example")
    assert "token" not in told
    assert list(imkit.tokens) == ["token-of-ann"]


@pytest.mark.parametrize("client_id", ["a", "x" * 255, "a/b c", "käse", "日本"])
def test_an_id_may_be_any_text(caller: Caller, imkit: IMKitSandbox, client_id: str) -> None:
    caller.done("POST", CLIENTS, {"_id": client_id})
    assert list(imkit.clients) == [client_id]

    path = f"{CLIENTS}/{quote(client_id, safe='')}/token"
    bound = {"token": "t", "expirationDate": iso(DAY)}
    assert caller.done("PUT", path, bound)["client"] == client_id


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"_id": ""}, BODY_WRONG),
        ({"_id": 7}, BODY_WRONG),
        ({"_id": None}, BODY_WRONG),
        ({"_id": "x" * 256}, BODY_WRONG),
        ({"nickname": 7}, BODY_WRONG),
        ({"nickname": None}, BODY_WRONG),
        ({"avatarUrl": []}, BODY_WRONG),
        ({"email": {}}, BODY_WRONG),
        ({"description": True}, BODY_WRONG),
        ({"publicKey": 1}, BODY_WRONG),
        ({"issueAccessToken": "true"}, BODY_WRONG),
        ({"issueAccessToken": None}, BODY_WRONG),
        ({"token": "t"}, MISSING),
        ({"expirationDate": iso(DAY)}, MISSING),
        ({"token": "", "expirationDate": iso(DAY)}, BODY_WRONG),
        ({"token": "Bearer t", "expirationDate": iso(DAY)}, BODY_WRONG),
        ({"token": "käse", "expirationDate": iso(DAY)}, BODY_WRONG),
        ({"token": 7, "expirationDate": iso(DAY)}, BODY_WRONG),
        ({"token": None, "expirationDate": iso(DAY)}, BODY_WRONG),
        ({"issueAccessToken": True, "token": "t", "expirationDate": iso(DAY)}, BODY_WRONG),
        ({"issueAccessToken": True, "token": "t"}, BODY_WRONG),
    ],
)
def test_a_bad_client_is_refused(
    caller: Caller, imkit: IMKitSandbox, changes: dict[str, Any], told: tuple[int, str]
) -> None:
    assert caller.refused("POST", CLIENTS, {**ANN, **changes}) == told
    assert (imkit.clients, imkit.tokens) == ({}, {})


@pytest.mark.parametrize("document", [{}, {"nickname": "Ann"}])
def test_an_id_is_required(caller: Caller, document: Any) -> None:
    assert caller.refused("POST", CLIENTS, document) == MISSING


def test_the_server_makes_a_token_for_seven_days(caller: Caller, imkit: IMKitSandbox) -> None:
    told = caller.done("POST", CLIENTS, {"_id": "ann", "issueAccessToken": True})

    client_id, expires = imkit.tokens[told["token"]]
    assert (client_id, abs(expires - time.time() - 7 * DAY) < 5) == ("ann", True)
    assert caller.done("GET", "/me", None, APP, token(told["token"]))["_id"] == "ann"
    again = caller.done("POST", CLIENTS, {"_id": "ann", "issueAccessToken": True})
    assert again["token"] != told["token"]


def test_no_token_is_made_where_none_is_asked_for(caller: Caller, imkit: IMKitSandbox) -> None:
    told = caller.done("POST", CLIENTS, {"_id": "ann", "issueAccessToken": False})
    assert ("token" in told, imkit.tokens) == (False, {})


def test_a_conflict_changes_nothing(caller: Caller, imkit: IMKitSandbox) -> None:
    caller.client("ann", "t")
    taken = {"_id": "bob", "token": "t", "expirationDate": iso(DAY)}

    assert caller.refused("POST", CLIENTS, taken) == (409, "TOKEN_CONFLICT")
    assert (list(imkit.clients), imkit.tokens["t"][0]) == (["ann"], "ann")


def test_many_are_made_at_once_without_tokens(caller: Caller, imkit: IMKitSandbox) -> None:
    data = [{"_id": f"c{n}", "token": "t", "nickname": "C"} for n in range(100)]
    assert caller.done("POST", f"{CLIENTS}/list", {"data": data}) == {"count": 100}

    assert (len(imkit.clients), imkit.clients["c7"]["nickname"]) == (100, "C")
    assert imkit.tokens == {}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, MISSING),
        ({"data": {}}, BODY_WRONG),
        ({"data": [{"_id": "a"}, "b"]}, BODY_WRONG),
        ({"data": [{"_id": "a"}, {}]}, MISSING),
        ({"data": [{"_id": "a"}, {"_id": "b", "nickname": 7}]}, BODY_WRONG),
        ({"data": [{"_id": f"c{n}"} for n in range(101)]}, BODY_WRONG),
    ],
)
def test_of_a_bad_list_nothing_is_made(
    caller: Caller, imkit: IMKitSandbox, document: Any, told: tuple[int, str]
) -> None:
    assert caller.refused("POST", f"{CLIENTS}/list", document) == told
    assert imkit.clients == {}


def test_clients_are_listed_in_pages(caller: Caller) -> None:
    data = [{"_id": f"c{n}", "nickname": "even" if n % 2 == 0 else "odd"} for n in range(60)]
    caller.done("POST", f"{CLIENTS}/list", {"data": data})

    told = caller.done("GET", CLIENTS)
    assert (told["totalCount"], len(told["data"]), told["data"][0]["id"]) == (60, 50, "c0")
    told = caller.done("GET", f"{CLIENTS}?skip=58&limit=100")
    assert [client["_id"] for client in told["data"]] == ["c58", "c59"]


def test_clients_are_found_by_their_fields(caller: Caller) -> None:
    for name in ("ann", "bob"):
        caller.done("POST", CLIENTS, {"_id": name, "nickname": name.title()})

    told = caller.done("GET", f"{CLIENTS}?q={quote(json.dumps({'nickname': 'Bob'}))}")
    assert (told["totalCount"], [client["_id"] for client in told["data"]]) == (1, ["bob"])


@pytest.mark.parametrize(
    "query",
    [
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=",
        "skip=²",
        f"skip={'9' * 5000}",
        "skip=1000001",
        "q=x",
        "q=[]",
        "q={%22nickname%22:{%22$regex%22:%22a%22}}",
        "q={%22$or%22:[]}",
    ],
)
def test_a_bad_query_is_refused(caller: Caller, query: str) -> None:
    target = f"{CLIENTS}?{quote(query, safe='=&%[]{}:$')}"
    assert caller.refused("GET", target) == QUERY_WRONG
