"""Who may call, with what, and what each may do."""

import time

import pytest

from sandbox.imkit import API_KEY, CLIENT_KEY, IMKitSandbox
from tests.sandbox.imkit.caller import APP, JSON, NOBODY, PLATFORM, Caller, named, token
from tests.wire import ask, post

ADMIN = [
    ("POST", "/admin/clients"),
    ("GET", "/admin/clients"),
    ("POST", "/admin/clients/list"),
    ("GET", "/admin/connection-count"),
    ("PUT", "/admin/clients/ann/token"),
    ("DELETE", "/admin/clients/ann/token"),
    ("GET", "/auths/token"),
    ("GET", "/auth/token"),
    ("POST", "/messages"),
]
KEY_WRONG = (401, "INVALID_API_KEY")
APP_WRONG = (403, "INVALID_CLIENT_KEY")
TOKEN_WRONG = (401, "INVALID_TOKEN")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([NOBODY], KEY_WRONG),
        (["IM-API-KEY: "], KEY_WRONG),
        (["IM-API-KEY: wrong"], KEY_WRONG),
        (["IM-API-KEY: käse"], KEY_WRONG),
        ([f"IM-API-KEY: {CLIENT_KEY}"], KEY_WRONG),
        ([f"Authorization: {API_KEY}"], KEY_WRONG),
        (["IM-Client-Key: ", token("good")], APP_WRONG),
        (["IM-Client-Key: wrong", token("good")], APP_WRONG),
        ([f"IM-Client-Key: {API_KEY}", token("good")], APP_WRONG),
        ([token("good")], APP_WRONG),
        ([APP], TOKEN_WRONG),
        ([APP, token("")], TOKEN_WRONG),
        ([APP, token("unknown")], TOKEN_WRONG),
        ([APP, token("Bearer good")], TOKEN_WRONG),
        ([APP, token("GOOD")], TOKEN_WRONG),
        ([APP, token("ended")], TOKEN_WRONG),
        ([APP, token("of-nobody")], TOKEN_WRONG),
        ([APP, "Authorization: good"], TOKEN_WRONG),
        ([APP, token("good"), named("bob")], TOKEN_WRONG),
        ([APP, token("good"), named("")], TOKEN_WRONG),
    ],
)
@pytest.mark.parametrize("target", ["/me", "/rooms", "/_sandbox/echo", "/nothing"])
def test_who_may_not_call_is_told_why(
    caller: Caller, imkit: IMKitSandbox, target: str, lines: list[str], told: tuple[int, str]
) -> None:
    caller.client("ann", "good")
    imkit.tokens["ended"] = ("ann", time.time() - 1)
    imkit.tokens["of-nobody"] = ("nobody", time.time() + 60)

    assert caller.refused("GET", target, None, *lines) == told


def test_both_kinds_of_callers_are_let_in(caller: Caller) -> None:
    client = caller.client("ann")

    assert caller.done("GET", "/me", None, *client)["_id"] == "ann"
    assert caller.done("GET", "/me", None, *client, named("ann"), "IM-Device-ID: d")["id"] == "ann"
    assert caller.done("GET", "/admin/connection-count", None, PLATFORM) == {"count": 0}


def test_other_keys_may_be_set() -> None:
    with IMKitSandbox(api_key="other", client_key="public") as stand_in:
        caller = Caller(stand_in)
        assert caller.done("GET", "/rooms", None, "im-api-key: other")["data"] == []
        assert caller.refused("GET", "/rooms", None, PLATFORM) == KEY_WRONG

        stand_in.clients["ann"] = {"_id": "ann"}
        stand_in.tokens["t"] = ("ann", time.time() + 60)
        told = caller.done("GET", "/me", None, "im-client-key: public", token("t"))
        assert told["_id"] == "ann"


def test_authorization_is_ignored(caller: Caller) -> None:
    ignored = ["Authorization: Bearer x", "Authorization: again"]
    client = caller.client("ann")

    assert caller.done("GET", "/me", None, *client, *ignored)["_id"] == "ann"
    assert caller.done("GET", "/rooms", None, PLATFORM, *ignored)["data"] == []


@pytest.mark.parametrize(("method", "target"), ADMIN)
def test_a_client_may_not_do_what_the_platform_may(
    caller: Caller, imkit: IMKitSandbox, method: str, target: str
) -> None:
    client = caller.client("ann")
    document = None if method == "GET" else {"_id": "eve"}
    assert caller.refused(method, target, document, *client) == (403, "PERMISSION_DENIED")
    assert (list(imkit.clients), list(imkit.tokens)) == (["ann"], ["token-of-ann"])


def test_a_token_ends_by_itself(caller: Caller, imkit: IMKitSandbox) -> None:
    client = caller.client("ann")
    imkit.tokens["token-of-ann"] = ("ann", time.time() + 0.5)
    assert caller.done("GET", "/me", None, *client)["_id"] == "ann"

    time.sleep(0.6)
    assert caller.refused("GET", "/me", None, *client) == TOKEN_WRONG


@pytest.mark.parametrize("target", ["/me", "/me/badge"])
def test_the_platform_names_the_client_it_means(caller: Caller, target: str) -> None:
    caller.client("ann")

    assert caller.done("GET", target, None, PLATFORM, named("ann"))
    assert caller.refused("GET", target) == (400, "MISSING_PARAMETER")
    unknown = caller.refused("GET", target, None, PLATFORM, named("bob"))
    assert unknown == (404, "CLIENT_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("DELETE", "/admin/clients"),
        ("POST", "/admin/clients//"),
        ("GET", "/admin/clients/ann"),
        ("PUT", "/admin/clients//token"),
        ("PUT", "/admin/clients/a/b/token"),
        ("GET", "/rooms/a/messages"),
        ("GET", "/_sandbox/nothing"),
        ("GET", "/me/badge/x"),
    ],
)
def test_what_is_not_there_is_404(caller: Caller, method: str, target: str) -> None:
    assert caller.refused(method, target) == (404, "NOT_FOUND")


@pytest.mark.parametrize("content_type", ["text/plain", "application/jsonx", f"x\r\n{JSON}"])
def test_a_body_of_another_type_is_not_taken_for_none(
    caller: Caller, imkit: IMKitSandbox, content_type: str
) -> None:
    caller.client("ann")
    line = f"Content-Type: {content_type}"
    sent = post("/admin/clients/ann/token", b'{"token":"x"}', PLATFORM, line, method="DELETE")

    assert ask(imkit.port, sent).status == 400
    assert list(imkit.tokens) == ["token-of-ann"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"a"', b"null", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_object_is_refused(caller: Caller, body: bytes) -> None:
    assert caller.refused("POST", "/admin/clients", body) == (400, "INVALID_BODY")


def test_a_body_without_end_is_refused_at_once(imkit: IMKitSandbox) -> None:
    announced = post("/me", b"", PLATFORM, JSON).replace(b"Length: 0", b"Length: 9000000")
    assert ask(imkit.port, announced).status == 413
