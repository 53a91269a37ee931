"""Binding, moving, revoking: a token is what the look-up says, at once."""

import time
from typing import Any

import pytest

from sandbox.imkit import IMKitSandbox
from tests.sandbox.imkit.caller import APP, DAY, Caller, iso, token

ANN = "/admin/clients/ann/token"
BODY_WRONG = (400, "INVALID_BODY")
MISSING = (400, "MISSING_PARAMETER")


@pytest.fixture(autouse=True)
def _ann(caller: Caller) -> None:
    caller.client("ann", "first")


def lets_in(caller: Caller, text: str) -> bool:
    return caller.see("GET", "/me", None, APP, token(text)).status == 200


@pytest.mark.parametrize("path", [ANN, f"{ANN}/", "/admin/clients/%61nn/token"])
def test_a_token_is_bound_beside_the_others(caller: Caller, imkit: IMKitSandbox, path: str) -> None:
    told = caller.done("PUT", path, {"token": "second", "expirationDate": "2100-01-01T00:00:00Z"})

    assert (told["_id"], told["id"], told["client"]) == ("ann", "ann", "ann")
    assert (told["token"], told["expirationDate"]) == ("second", "2100-01-01T00:00:00.000Z")
    assert told["expirationDateMS"] == 4_102_444_800_000
    assert imkit.tokens["second"] == ("ann", 4_102_444_800.0)
    assert lets_in(caller, "first")
    assert lets_in(caller, "second")


def test_the_end_of_a_token_can_be_moved(caller: Caller, imkit: IMKitSandbox) -> None:
    imkit.tokens["first"] = ("ann", time.time() - 1)
    assert not lets_in(caller, "first")

    caller.done("PUT", ANN, {"token": "first", "expirationDate": iso(60)})
    assert lets_in(caller, "first")


def test_a_change_of_a_token_is_a_change_of_the_client(caller: Caller, imkit: IMKitSandbox) -> None:
    imkit.clients["ann"]["updatedAt"] = "long ago"
    told = caller.done("PUT", ANN, {"token": "first", "expirationDate": iso(60)})
    assert told["updatedAt"] == imkit.clients["ann"]["updatedAt"] != "long ago"


@pytest.mark.parametrize("ends", [DAY, -DAY])
def test_anothers_token_is_not_taken_over(caller: Caller, imkit: IMKitSandbox, ends: float) -> None:
    """Not even one at its end: whoever still has it would be let in as somebody else."""
    caller.client("bob", "of-bob")
    imkit.tokens["of-bob"] = ("bob", time.time() + ends)

    taken = {"token": "of-bob", "expirationDate": iso(60)}
    assert caller.refused("PUT", ANN, taken) == (409, "TOKEN_CONFLICT")
    assert imkit.tokens["of-bob"][0] == "bob"


@pytest.mark.parametrize(
    "text",
    [
        "2100-01-01T00:00Z",
        "2100-01-01T00:00:00.123Z",
        "2100-01-01T00:00:00.123456789Z",
        "2100-01-01T02:00:00+02:00",
        "9999-12-31T23:59:59.999Z",
    ],
)
def test_an_end_may_be_written_in_many_ways(caller: Caller, text: str) -> None:
    caller.done("PUT", ANN, {"token": "t", "expirationDate": text})
    assert lets_in(caller, "t")


@pytest.mark.parametrize(
    "ends",
    [
        "2100-01-01T00:00:00",
        "2100-01-01",
        "2100-01-01 00:00:00Z",
        "2100-13-01T00:00:00Z",
        "2100-01-01T00:00:00z",
        "21000101T000000Z",
        "\u0662100-01-01T00:00:00Z",
        "9999-12-31T23:59:59-00:01",
        "2000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        pytest.param(iso(-1), id="just over"),
        "soon",
        "",
        4_102_444_800,
        None,
    ],
)
def test_a_bad_end_is_refused(caller: Caller, imkit: IMKitSandbox, ends: Any) -> None:
    document = {"token": "t", "expirationDate": ends}

    assert caller.refused("PUT", ANN, document) == BODY_WRONG
    assert caller.refused("POST", "/admin/clients", {"_id": "ann", **document}) == BODY_WRONG
    assert list(imkit.tokens) == ["first"]


@pytest.mark.parametrize("document", [{}, {"token": "t"}, {"expirationDate": iso(60)}])
def test_both_parts_of_a_binding_are_required(caller: Caller, document: Any) -> None:
    assert caller.refused("PUT", ANN, document) == MISSING


def test_one_token_is_revoked_at_once(caller: Caller) -> None:
    caller.client("ann", "second")
    told = caller.done("DELETE", ANN, {"token": "first"})

    message = "Token revoked successfully"
    assert told == {"success": True, "message": message, "revokedTokens": 1}
    assert not lets_in(caller, "first")
    assert lets_in(caller, "second")
    assert caller.refused("DELETE", ANN, {"token": "first"}) == (404, "TOKEN_NOT_FOUND")


@pytest.mark.parametrize("document", [None, {}, b""])
def test_all_tokens_are_revoked_but_not_those_of_others(
    caller: Caller, imkit: IMKitSandbox, document: Any
) -> None:
    caller.client("ann", "second")
    caller.client("bob", "of-bob")
    message = "All tokens revoked successfully"

    for count in (2, 0):
        told = caller.done("DELETE", f"{ANN}/", document)
        assert told == {"success": True, "message": message, "revokedTokens": count}

    assert list(imkit.tokens) == ["of-bob"]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"token": "unknown"}, (404, "TOKEN_NOT_FOUND")),
        ({"token": "of-bob"}, (404, "TOKEN_NOT_FOUND")),
        ({"token": None}, BODY_WRONG),
        ({"token": ""}, BODY_WRONG),
        ({"token": ["first"]}, BODY_WRONG),
    ],
)
def test_what_cannot_be_revoked_leaves_all_as_it_was(
    caller: Caller, imkit: IMKitSandbox, document: Any, told: tuple[int, str]
) -> None:
    caller.client("bob", "of-bob")

    assert caller.refused("DELETE", ANN, document) == told
    assert list(imkit.tokens) == ["first", "of-bob"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_the_client_must_be_known(caller: Caller, imkit: IMKitSandbox, method: str) -> None:
    path, document = "/admin/clients/eve/token", {"token": "first", "expirationDate": iso(60)}
    assert caller.refused(method, path, document) == (404, "CLIENT_NOT_FOUND")
    assert imkit.tokens["first"][0] == "ann"


def test_an_id_with_a_slash_stands_in_one_segment(caller: Caller, imkit: IMKitSandbox) -> None:
    caller.client("a/b", "t")
    caller.done("PUT", "/admin/clients/a%2Fb/token", {"token": "u", "expirationDate": iso(60)})
    caller.done("DELETE", "/admin/clients/a%2Fb/token", {"token": "t"})

    held = {text for text, (client_id, _) in imkit.tokens.items() if client_id == "a/b"}
    assert held == {"u"}


@pytest.mark.parametrize("path", ["/auths/token", "/auth/token"])
def test_a_random_text_is_nobodys_token(caller: Caller, path: str) -> None:
    texts = {caller.done("GET", f"{path}?size=24")["token"] for _ in range(2)}
    texts.add(caller.done("GET", path)["token"])

    assert sorted(map(len, texts)) == [32, 48, 48]
    assert not any(lets_in(caller, text) for text in texts)
    assert caller.refused("GET", f"{path}?size=1025") == (400, "INVALID_REQUEST")
