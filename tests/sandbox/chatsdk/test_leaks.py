"""Headers that a sidecar must have kept back are refused, so that a test of it fails."""

import pytest

from tests.sandbox.chatsdk.chat import KEY, Chat, bearer, token


@pytest.mark.parametrize("target", ["/api/channels", "/health", "/tokens/validate"])
@pytest.mark.parametrize(
    "lines",
    [
        ["Cookie: a=b"],
        ["Forwarded: for=192.0.2.1"],
        ["X-Forwarded-For: 192.0.2.1"],
        ["x-forwarded-host: a.example"],
        ["X_Forwarded_For: 192.0.2.1"],
        ["X-Real-IP: 192.0.2.1"],
        ["Via: 1.1 somebody"],
        ["Proxy-Authorization: Basic eDp5"],
        [KEY],
        ["x_api_key: z"],
        [bearer(token())],
    ],
)
def test_what_should_never_arrive_is_400(chat: Chat, target: str, lines: list[str]) -> None:
    status, told = chat.call("GET", target, None, KEY, bearer(token()), *lines)
    assert (status, told["error"]["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("line", ["X-Request-Id: a", "traceparent: 00-a", "Origin: https://a"])
def test_other_headers_may_pass(chat: Chat, line: str) -> None:
    assert chat.call("GET", "/api/channels", None, KEY, bearer(token()), line)[0] == 200
