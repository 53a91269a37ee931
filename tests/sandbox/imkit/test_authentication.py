"""Who may call, with what, and what each may do."""

import time

import pytest

from sandbox.imkit import API_KEY, CLIENT_KEY
from tests.sandbox.imkit.caller import APP, JSON, NOBODY, PLATFORM, Caller, named, token
from tests.upstream import IMKitUpstream
from tests.wire import ask, post

ADMIN = [
    ("POST", "/admin/clients"),
    ("GET", "/admin/clients"),
    ("POST", "/admin/clients/list"),
    ("GET", "/admin/connection-count"),
    ("DELETE", "/admin/clients/ann/token"),
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
@pytest.mark.parametrize("target", ["/me/badge", "/rooms", "/_sandbox/echo", "/nothing"])
def test_who_may_not_call_is_told_why(
    caller: Caller, imkit: IMKitUpstream, target: str, lines: list[str], told: tuple[int, str]
) -> None:
    caller.client("ann", "good")
    imkit.tokens["ended"] = ("ann", time.time() - 1)
    imkit.tokens["of-nobody"] = ("nobody", time.time() + 60)

    assert caller.refused("GET", target, None, *lines) == told


def test_both_kinds_of_callers_are_let_in(caller: Caller) -> None:
    client = caller.client("ann")

    assert caller.done("GET", "/me/badge", None, *client, named("ann"), "IM-Device-ID: d")
    assert caller.done("GET", "/admin/connection-count", None, PLATFORM) == {"count": 0}


def test_authorization_is_ignored(caller: Caller) -> None:
    ignored = ["Authorization: Bearer x", "Authorization: again"]
    client = caller.client("ann")

    assert caller.done("GET", "/me/badge", None, *client, *ignored) == {"badge": 0}
    assert caller.done("GET", "/rooms", None, PLATFORM, *ignored)["data"] == []


@pytest.mark.parametrize(("method", "target"), ADMIN)
def test_a_client_may_not_do_what_the_platform_may(
    caller: Caller, imkit: IMKitUpstream, method: str, target: str
) -> None:
    client = caller.client("ann")
    document = None if method == "GET" else {"_id": "eve"}
    assert caller.refused(method, target, document, *client) == (403, "PERMISSION_DENIED")
    assert (list(imkit.clients), list(imkit.tokens)) == (["ann"], ["token-of-ann"])


def test_the_platform_names_the_client_it_means(caller: Caller) -> None:
    caller.client("ann")

    assert caller.done("GET", "/me/badge", None, PLATFORM, named("ann"))
    assert caller.refused("GET", "/me/badge") == (400, "MISSING_PARAMETER")
    unknown = caller.refused("GET", "/me/badge", None, PLATFORM, named("bob"))
    assert unknown == (404, "CLIENT_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("DELETE", "/admin/clients"),
        ("POST", "/admin/clients//"),
        ("GET", "/admin/clients/ann"),
        ("DELETE", "/admin/clients//token"),
        ("DELETE", "/admin/clients/a/b/token"),
        ("GET", "/rooms/a/messages"),
        ("GET", "/_sandbox/nothing"),
        ("GET", "/me/badge/x"),
    ],
)
def test_what_is_not_there_is_404(caller: Caller, method: str, target: str) -> None:
    assert caller.refused(method, target) == (404, "NOT_FOUND")


@pytest.mark.parametrize("content_type", ["text/plain", "application/jsonx", f"x\r\n{JSON}"])
def test_a_body_of_another_type_is_not_taken_for_none(
    caller: Caller, imkit: IMKitUpstream, content_type: str
) -> None:
    caller.client("ann")
    line = f"Content-Type: {content_type}"
    sent = post("/admin/clients/ann/token", b'{"token":"x"}', PLATFORM, line, method="DELETE")

    assert ask(imkit.port, sent).status == 400
    assert list(imkit.tokens) == ["token-of-ann"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"a"', b"null", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_object_is_refused(caller: Caller, body: bytes) -> None:
    assert caller.refused("POST", "/admin/clients", body) == (400, "INVALID_BODY")


def test_a_body_without_end_is_refused_at_once(imkit: IMKitUpstream) -> None:
    announced = post("/rooms", b"", PLATFORM, JSON).replace(b"Length: 0", b"Length: 9000000")
    assert ask(imkit.port, announced).status == 413
