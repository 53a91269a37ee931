"""Headers that a sidecar must have kept back are refused, so that a test of it fails."""

from collections.abc import Iterator

import pytest

from sandbox.imbachat import DEV_ID
from sandbox.imkit import API_KEY
from tests.sandbox.chatsdk.chat import KEY, Chat, bearer, token
from tests.sandbox.imkit import caller as imkit_callers
from tests.sandbox.imkit.caller import APP, PLATFORM, Caller, named
from tests.upstream import CentrifugoUpstream, ImbaChatUpstream, PerformChatUpstream
from tests.upstream.server import Upstream
from tests.wire import ask, get

PRIVATE = [
    "Cookie: a=b",
    "Forwarded: for=192.0.2.1",
    "X-Forwarded-For: 192.0.2.1",
    "x-forwarded-host: a.example",
    "X_Forwarded_For: 192.0.2.1",
    "X-Real-IP: 192.0.2.1",
    "Via: 1.1 somebody",
    "Proxy-Authorization: Basic eDp5",
]
LEGACY = ["API_KEY: z", "CLIENT_KEY: z", "API-KEY: z", "CLIENT-KEY: z", f"api_key: {API_KEY}"]
HARMLESS = ["X-Request-Id: a", "traceparent: 00-a", "Origin: https://a"]
REFUSED = (400, "INVALID_REQUEST")


@pytest.mark.parametrize("target", ["/api/channels", "/health"])
@pytest.mark.parametrize("line", [*PRIVATE, KEY, "x_api_key: z", bearer(token())])
def test_chatsdk_refuses_what_should_never_arrive(chat: Chat, target: str, line: str) -> None:
    status, told = chat.call("GET", target, None, KEY, bearer(token()), line)
    assert (status, told["error"]["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("line", HARMLESS)
def test_other_headers_may_pass(chat: Chat, caller: Caller, line: str) -> None:
    assert chat.call("GET", "/api/channels", None, KEY, bearer(token()), line)[0] == 200
    assert caller.done("GET", "/rooms", None, PLATFORM, line)["data"] == []


@pytest.mark.parametrize("target", ["/rooms", "/_sandbox/echo", "/nothing"])
@pytest.mark.parametrize("line", [*PRIVATE, *LEGACY])
def test_imkit_refuses_what_should_never_arrive(caller: Caller, target: str, line: str) -> None:
    client = caller.client("ann")

    assert caller.refused("GET", target, None, PLATFORM, named("ann"), line) == REFUSED
    assert caller.refused("GET", target, None, *client, named("ann"), line) == REFUSED


@pytest.mark.parametrize(
    "again", [PLATFORM, "im_api_key: z", APP, imkit_callers.token("t"), "im_client_key: z"]
)
def test_imkits_platform_key_stands_alone(caller: Caller, again: str) -> None:
    assert caller.refused("GET", "/rooms", None, PLATFORM, again) == REFUSED


@pytest.mark.parametrize(
    "line",
    [
        "IM-API-KEY: ",
        "IM_API_KEY: z",
        APP,
        "im_client_key: z",
        imkit_callers.token("token-of-ann"),
        "IM_Authorization: z",
        named("ann"),
        "IM_CLIENT_ID: bob",
        "IM-Device-ID: two",
    ],
)
def test_imkits_client_credentials_come_once_and_alone(caller: Caller, line: str) -> None:
    whole = [*caller.client("ann"), named("ann"), "IM-Device-ID: one"]
    assert caller.done("GET", "/rooms", None, *whole)["data"] == []
    assert caller.refused("GET", "/rooms", None, *whole, line) == REFUSED


@pytest.fixture(params=[ImbaChatUpstream, PerformChatUpstream, CentrifugoUpstream])
def other(request: pytest.FixtureRequest) -> Iterator[Upstream]:
    with request.param() as running:
        yield running


@pytest.mark.parametrize("line", [PRIVATE[0], PRIVATE[2], "Authorization: a\r\nauthorization: b"])
def test_the_others_refuse_it_too(other: Upstream, line: str) -> None:
    answer = ask(other.port, get(f"/imbachat/v1/{DEV_ID}/widget", line))
    assert (answer.status, other.journal[0].status) == (400, 400)
    assert answer.header("x-sandbox-complaint")
