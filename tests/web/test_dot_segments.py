"""No route takes a path that a server in front or behind could read as another one."""

import json
import re

import pytest
from werkzeug.routing import Rule

from tests.badinput.canned import CannedUpstream
from tests.calls import Reply, call
from tests.directories import make_key
from tests.everything import environ_before, rules_of
from tests.sidecar import Sidecar

PLACEHOLDER = re.compile(r"<[^>]+>")

#: In place of an id, within one segment.
DOTS = [
    "..", ".", "%2e", "%2e%2e", "%2E%2e", ".%2e", "%2e.", "%252e%252e", "%25252E.", "..;x",
    "..%3bx", "..;a=b", ".;", "..%20", "%20..", "..%00", "..%09", ".%0a.", "..%3fx",
    "..%23", "%c0%ae%c0%ae",
    "%e0%80%ae.", "%f0%80%80%ae.", "..%5cx", "x%5c..", "x%5c..%5c..%5cme", "x%255c..", "..\\x",
    "x\\..\\..\\me", "%u002e%u002e", "%zz", "100%",
]  # fmt: skip
#: In place of an id that may hold slashes.
SLASHES = [
    "..%2f", "%2f..", "%2F%2e%2E", "x%2f..%2f..%2fme", "x/../../me", "x%252f..%252fme", "x/./me",
    "x%2f.%2fme", "..%2f..%2f", "x%2f..;y%2fme", "x%c0%af..%c0%afme", "x;%2f..%2fme", "a%5c..%2fme",
    "/..", "//../x", "x%2f..",
]  # fmt: skip
#: Ids that hold dots and are no dot segments.
NAMES = ["john.doe", "...", "..x", "x..", ".x", "a..b", "....", ". .x", "a%2eb", "DOMAIN%5calice"]

RULES = [
    (method, rule)
    for rule in rules_of(environ_before("http://127.0.0.1:1"))
    for method in sorted((rule.methods or set()) - {"HEAD"})
    if PLACEHOLDER.search(rule.rule)
]


def spelt(rule: Rule, text: str) -> str:
    """The path of a rule with a text in place of what is variable in it."""
    return PLACEHOLDER.sub(lambda _: text, rule.rule)


def is_in_a_dialect(reply: Reply, path: str) -> bool:
    """Check that the surface's own error shape was answered."""
    body = reply.json

    if path.startswith("/imkit"):
        return body["RC"] == reply.status and set(body["error"]) == {"code", "message"}

    if path.startswith("/imbachat"):
        return body["code"] == reply.status and set(body) == {"code", "version", "error", "debug"}

    if path.startswith(("/api", "/ws", "/chatsdk")):
        return set(body["error"]) == {"code", "message"}

    if path.startswith(("/rest", "/performchat")):
        return body["statusCode"] == reply.status and set(body) == {
            "statusCode",
            "message",
            "error",
        }

    if path.startswith(("/proxy", "/stream")):
        return body["StatusCode"] == reply.status and len(body) == 6

    return set(body) == {"errorMsg"}


@pytest.mark.parametrize(
    ("method", "rule"), RULES, ids=[f"{method} {rule.rule}" for method, rule in RULES]
)
def test_every_route_refuses_dot_segments(
    whole: Sidecar, provider: CannedUpstream, method: str, rule: Rule
) -> None:
    provider.requests.clear()
    takes_slashes = "<anything:" in rule.rule

    for text in DOTS + (SLASHES if takes_slashes else []):
        path = spelt(rule, text)
        reply = call(whole.port, method, path)

        assert reply.status == 400, (path, reply.raw.body)
        assert is_in_a_dialect(reply, path), (path, reply.raw.body)

    assert provider.requests == []


@pytest.mark.parametrize(
    ("method", "rule"), RULES, ids=[f"{method} {rule.rule}" for method, rule in RULES]
)
def test_the_guard_is_not_asked_and_no_body_is_read(
    whole: Sidecar, provider: CannedUpstream, method: str, rule: Rule
) -> None:
    """A good key changes nothing, and the answer comes before the body does."""
    provider.requests.clear()
    key = make_key(whole.environ, "dots")["apiKey"]
    fields = (f"X-API-Key: {key}", f"IM-API-KEY: {key}", "Content-Length: 1000000")
    reply = call(whole.port, method, spelt(rule, "%2e%2e"), *fields)

    assert reply.status == 400
    assert "dot segment" in json.dumps(reply.json)
    assert provider.requests == []


def test_an_id_may_hold_dots(whole: Sidecar) -> None:
    key = make_key(whole.environ, "names")["apiKey"]

    for text in (name.replace(" ", "%20") for name in NAMES):
        count = call(whole.port, "POST", f"/imkit/badge/{text}", body={"source": "a", "count": 1})
        missing = call(whole.port, "GET", f"/api/users/{text}", f"X-API-Key: {key}")

        assert (count.status, count.json["total"]) == (200, 1), text
        assert missing.json == {"error": {"message": "User not found", "code": "NOT_FOUND"}}, text


@pytest.mark.parametrize(
    "path",
    [
        "/imkit/badge/x%2f..%2f..%2fme",
        "/imkit/x%2f..%2fbadge",
        "/imkit/me/%2e%2e/badge/alice",
        "/%69mkit/badge/%2e%2e",
    ],
)
def test_what_a_proxy_in_front_would_read_otherwise_is_refused(whole: Sidecar, path: str) -> None:
    reply = call(whole.port, "GET", path)

    assert (reply.status, reply.json["error"]["code"]) == (400, "INVALID_REQUEST")
