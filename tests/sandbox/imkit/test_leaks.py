"""Headers that a sidecar must have kept back are refused, so that a test of it fails."""

import pytest

from sandbox.imkit import API_KEY
from tests.sandbox.imkit.caller import APP, PLATFORM, Caller, named, token

REFUSED = (400, "INVALID_REQUEST")
PRIVATE = [
    "Cookie: a=b",
    "Forwarded: for=192.0.2.1",
    "X-Forwarded-For: 192.0.2.1",
    "X_Forwarded_For: 192.0.2.1",
    "X-Real-IP: 192.0.2.1",
    "Via: 1.1 somebody",
    "Proxy-Authorization: Basic eDp5",
]
LEGACY = ["API_KEY: z", "CLIENT_KEY: z", "API-KEY: z", "CLIENT-KEY: z", f"api_key: {API_KEY}"]


@pytest.mark.parametrize("target", ["/me", "/rooms", "/_sandbox/echo", "/nothing"])
@pytest.mark.parametrize("line", [*PRIVATE, *LEGACY])
def test_what_should_never_arrive_is_400(caller: Caller, target: str, line: str) -> None:
    client = caller.client("ann")

    assert caller.refused("GET", target, None, PLATFORM, named("ann"), line) == REFUSED
    assert caller.refused("GET", target, None, *client, named("ann"), line) == REFUSED


@pytest.mark.parametrize("again", [PLATFORM, "im_api_key: z", APP, token("t"), "im_client_key: z"])
def test_the_platforms_key_stands_alone(caller: Caller, again: str) -> None:
    assert caller.refused("GET", "/rooms", None, PLATFORM, again) == REFUSED


@pytest.mark.parametrize(
    "line",
    [
        "IM-API-KEY: ",
        "IM_API_KEY: z",
        APP,
        "im_client_key: z",
        token("token-of-ann"),
        "IM_Authorization: z",
        named("ann"),
        "IM_CLIENT_ID: bob",
        "IM-Device-ID: two",
    ],
)
def test_a_clients_credentials_come_once_and_alone(caller: Caller, line: str) -> None:
    whole = [*caller.client("ann"), named("ann"), "IM-Device-ID: one"]
    assert caller.done("GET", "/rooms", None, *whole)["data"] == []
    assert caller.refused("GET", "/rooms", None, *whole, line) == REFUSED


@pytest.mark.parametrize("line", ["X-Request-Id: a", "traceparent: 00-a", "Origin: https://a"])
def test_other_headers_may_pass(caller: Caller, line: str) -> None:
    assert caller.done("GET", "/rooms", None, PLATFORM, line)["data"] == []
