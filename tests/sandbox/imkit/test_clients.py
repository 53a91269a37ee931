"""Clients as the platform makes, changes and lists them, and the tokens bound to them."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.imkit.caller import DAY, Caller, iso
from tests.upstream import IMKitUpstream

CLIENTS = "/admin/clients"
ANN = {"_id": "ann", "nickname": "Ann", "avatarUrl": "https://a.example/ann.png", "publicKey": "k"}
END = {"expirationDate": iso(DAY)}
BODY_WRONG = (400, "INVALID_BODY")
MISSING = (400, "MISSING_PARAMETER")


def test_a_client_is_made(caller: Caller, imkit: IMKitUpstream) -> None:
    told = caller.done("POST", CLIENTS, {**ANN, "shoe": 41})

    assert told["updatedAt"].endswith("Z")
    own = {"id": "ann", "appID": "sandbox", "updatedAt": told["updatedAt"], "lastLoginTimeMS": 0}
    assert told == {**ANN, **own}
    assert (imkit.clients["ann"]["nickname"], imkit.tokens) == ("Ann", {})
    assert caller.done("GET", CLIENTS) == {"totalCount": 1, "data": [told]}


def test_what_is_left_out_stays(caller: Caller, imkit: IMKitUpstream) -> None:
    caller.client("ann")
    caller.done("POST", CLIENTS, ANN)
    told = caller.done("POST", CLIENTS, {"_id": "ann", "nickname": "Anna"})

    assert (told["nickname"], told["publicKey"]) == ("Anna", "k")
    assert list(imkit.tokens) == ["token-of-ann"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"_id": 7}, BODY_WRONG),
        ({"_id": None}, BODY_WRONG),
        ({"nickname": None}, BODY_WRONG),
        ({"avatarUrl": []}, BODY_WRONG),
        ({"token": "t"}, MISSING),
        ({"expirationDate": iso(DAY)}, MISSING),
        ({"token": "", **END}, BODY_WRONG),
        ({"token": "Bearer t", **END}, BODY_WRONG),
        ({"token": "käse", **END}, BODY_WRONG),
        ({"token": 7, **END}, BODY_WRONG),
        ({"token": "t", "expirationDate": iso(-1)}, BODY_WRONG),
        ({"token": "t", "expirationDate": "2100-01-01T00:00:00"}, BODY_WRONG),
        ({"token": "t", "expirationDate": "2100-13-01T00:00:00Z"}, BODY_WRONG),
    ],
)
def test_a_bad_client_is_refused(
    caller: Caller, imkit: IMKitUpstream, changes: dict[str, Any], told: tuple[int, str]
) -> None:
    assert caller.refused("POST", CLIENTS, {**ANN, **changes}) == told
    assert (imkit.clients, imkit.tokens) == ({}, {})


def test_an_id_is_required(caller: Caller) -> None:
    assert caller.refused("POST", CLIENTS, {"nickname": "Ann"}) == MISSING


def test_a_conflict_changes_nothing(caller: Caller, imkit: IMKitUpstream) -> None:
    caller.client("ann", "t")
    taken = {"_id": "bob", "token": "t", **END}

    assert caller.refused("POST", CLIENTS, taken) == (409, "TOKEN_CONFLICT")
    assert (list(imkit.clients), imkit.tokens["t"][0]) == (["ann"], "ann")


def test_many_are_made_at_once_without_tokens(caller: Caller, imkit: IMKitUpstream) -> None:
    data = [{"_id": f"c{n}", "token": "t", "nickname": "C"} for n in range(100)]
    assert caller.done("POST", f"{CLIENTS}/list", {"data": data}) == {"count": 100}
    assert (len(imkit.clients), imkit.clients["c7"]["nickname"], imkit.tokens) == (100, "C", {})


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, MISSING),
        ({"data": {}}, BODY_WRONG),
        ({"data": [{"_id": "a"}, "b"]}, BODY_WRONG),
        ({"data": [{"_id": "a"}, {}]}, MISSING),
        ({"data": [{"_id": "a"}] * 101}, BODY_WRONG),
    ],
)
def test_a_bad_list_makes_nobody(
    caller: Caller, imkit: IMKitUpstream, document: Any, told: tuple[int, str]
) -> None:
    assert caller.refused("POST", f"{CLIENTS}/list", document) == told
    assert imkit.clients == {}


@pytest.mark.parametrize(
    ("document", "left", "count"),
    [({"token": "one"}, ["two", "other"], 1), ({}, ["other"], 2), (None, ["other"], 2)],
)
def test_one_token_is_revoked_or_all(
    caller: Caller, imkit: IMKitUpstream, document: Any, left: list[str], count: int
) -> None:
    for text in ("one", "two"):
        caller.client("a/b", text)

    caller.client("bob", "other")
    path = f"{CLIENTS}/{quote('a/b', safe='')}/token"
    assert caller.done("DELETE", path, document)["revokedTokens"] == count
    assert list(imkit.tokens) == left


@pytest.mark.parametrize(
    ("client_id", "token", "code"),
    [("ann", "other", "TOKEN_NOT_FOUND"), ("eve", "one", "CLIENT_NOT_FOUND")],
)
def test_what_cannot_be_revoked_leaves_all_as_it_was(
    caller: Caller, imkit: IMKitUpstream, client_id: str, token: str, code: str
) -> None:
    caller.client("ann", "one")
    caller.client("bob", "other")

    told = caller.refused("DELETE", f"{CLIENTS}/{client_id}/token", {"token": token})
    assert (told, list(imkit.tokens)) == ((404, code), ["one", "other"])
