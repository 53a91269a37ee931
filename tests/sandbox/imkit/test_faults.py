"""The common parts of a stand-in in front of this one: faults, probes, the journal, the port."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox.imkit import API_KEY, CLIENT_KEY, IMKitSandbox
from tests.sandbox.imkit.caller import DAY, NOBODY, PLATFORM, Caller, iso, named, refusal
from tests.wire import ask, get

CLIENTS = "/admin/clients"
BINDING = {"_id": "ann", "token": "t", "expirationDate": iso(DAY)}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "INVALID_REQUEST"),
        (401, "UNAUTHORIZED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (409, "CONFLICT"),
        (429, "RATE_LIMIT_EXCEEDED"),
        (500, "INTERNAL_SERVER_ERROR"),
        (503, "SERVICE_UNAVAILABLE"),
        (599, "ERROR"),
    ],
)
def test_a_status_comes_in_the_vendors_shape_and_nothing_is_done(
    caller: Caller, imkit: IMKitSandbox, status: int, code: str
) -> None:
    imkit.faults.next(f"status={status}", path=CLIENTS)

    assert caller.refused("POST", CLIENTS, BINDING) == (status, code)
    assert (imkit.clients, imkit.tokens) == ({}, {})
    assert caller.done("POST", CLIENTS, BINDING)["token"] == "t"


def test_a_good_status_may_hide_a_failure(caller: Caller, imkit: IMKitSandbox) -> None:
    imkit.faults.next("status=200")
    answer = caller.see("POST", CLIENTS, BINDING, PLATFORM)

    told = json.loads(answer.body)
    assert (answer.status, told["RC"]) == (200, 500)
    assert told["error"]["code"] == "INTERNAL_SERVER_ERROR"
    assert imkit.clients == {}


def test_a_redirect_tells_nothing_but_where(caller: Caller, imkit: IMKitSandbox) -> None:
    imkit.faults.next("redirect=http://elsewhere.invalid/x")
    answer = caller.see("POST", CLIENTS, BINDING, PLATFORM)

    assert (answer.status, answer.body) == (302, b"{}")
    assert answer.header("location") == "http://elsewhere.invalid/x"


def test_a_lost_answer_is_after_the_deed(caller: Caller, imkit: IMKitSandbox) -> None:
    imkit.faults.next("reset", path=f"{CLIENTS}/*/token", method="DELETE")
    caller.client("ann", "t")
    with pytest.raises(ConnectionError):
        caller.see("DELETE", f"{CLIENTS}/ann/token", {"token": "t"}, PLATFORM)

    assert (list(imkit.clients), imkit.tokens) == (["ann"], {})


def test_an_early_answer_is_before_the_deed(caller: Caller, imkit: IMKitSandbox) -> None:
    imkit.faults.next("early=503")

    told = caller.see("POST", CLIENTS, BINDING, PLATFORM)
    assert refusal(told) == (503, "SERVICE_UNAVAILABLE")
    assert imkit.clients == {}


def test_faults_are_ordered_from_another_process(caller: Caller, imkit: IMKitSandbox) -> None:
    order = {"fault": "status=500", "path": "/me"}
    answer = caller.see("POST", "/_sandbox/control/faults", order)

    assert (answer.status, imkit.faults.pending()) == (201, 1)
    assert caller.refused("GET", "/me") == (500, "INTERNAL_SERVER_ERROR")


def test_the_probes_take_either_kind_of_credentials(caller: Caller) -> None:
    target = "/_sandbox/echo?a=%20"
    for lines in ((PLATFORM,), caller.client("ann")):
        answer = caller.see("POST", target, b"hello", *lines)
        told = json.loads(answer.body)
        assert (answer.status, told["size"], told["target"]) == (200, 5, target)
        assert len(caller.see("GET", "/_sandbox/bytes?size=70", None, *lines).body) == 70

    assert caller.refused("GET", target, None, NOBODY) == (401, "INVALID_API_KEY")
    bad = caller.refused("GET", "/_sandbox/bytes?size=x")
    assert bad == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("method", "target", "document"),
    [
        ("POST", CLIENTS, BINDING),
        ("POST", f"{CLIENTS}/list", {"data": [{"_id": "ann"}]}),
        ("GET", CLIENTS, None),
        ("PUT", f"{CLIENTS}/ann/token", BINDING),
        ("DELETE", f"{CLIENTS}/ann/token", None),
        ("GET", "/me", None),
        ("POST", "/me", {}),
        ("GET", "/me/badge", None),
        ("GET", "/rooms", None),
        ("POST", "/rooms", {}),
        ("GET", "/rooms/r", None),
        ("GET", "/rooms/r/messages/v3", None),
        (
            "POST",
            "/messages",
            {"message": "hi", "messageType": "text", "room": "r", "sender": "ann"},
        ),
    ],
)
def test_nothing_moves_while_somebody_looks(
    caller: Caller, imkit: IMKitSandbox, method: str, target: str, document: Any
) -> None:
    caller.client("ann", "t")
    caller.done("POST", "/rooms", {"_id": "r"})
    with ThreadPoolExecutor() as pool:
        with imkit.lock:
            call = pool.submit(caller.done, method, target, document, PLATFORM, named("ann"))
            with pytest.raises(TimeoutError):
                call.result(0.1)

        assert call.result(5)


def test_a_token_is_looked_up_alone(caller: Caller, imkit: IMKitSandbox) -> None:
    client = caller.client("ann")
    with ThreadPoolExecutor() as pool:
        with imkit.lock:
            call = pool.submit(caller.see, "GET", "/_sandbox/echo", None, *client)
            with pytest.raises(TimeoutError):
                call.result(0.1)

        assert call.result(5).status == 200


def test_a_head_is_a_get_without_its_body(caller: Caller) -> None:
    answer = caller.see("HEAD", "/rooms", None, PLATFORM)
    assert (answer.status, answer.body) == (200, b"")


def test_what_arrived_is_journaled(caller: Caller, imkit: IMKitSandbox) -> None:
    caller.done("POST", CLIENTS, {"_id": "ann"})

    (entry,) = imkit.journal
    assert (entry.target, entry.body, entry.status) == (CLIENTS, b'{"_id": "ann"}', 200)
    assert entry.values("im-api-key") == [API_KEY]


def test_it_refuses_to_be_reached_from_elsewhere() -> None:
    with pytest.raises(ValueError, match="loopback"):
        IMKitSandbox(host="0.0.0.0")

    with IMKitSandbox(host="0.0.0.0", exposed=True, journal_capacity=1) as stand_in:
        for _ in range(2):
            assert ask(stand_in.port, get("/rooms", PLATFORM)).status == 200

        assert len(stand_in.journal) == 1


@pytest.mark.parametrize("key", [API_KEY, CLIENT_KEY])
def test_a_stand_ins_key_says_what_it_is(key: str) -> None:
    assert "stand-in" in key
    assert key.isascii()
    assert key.isprintable()
    assert " " not in key
