"""The server API, and what becomes of a client that connects."""

import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from sandbox.centrifugo import API_KEY, TOKEN_SECRET
from sandbox.centrifugo.connecting import BAD_REQUEST, EXPIRED, INVALID, Parties, connect
from tests.upstream import CentrifugoUpstream
from tests.wire import RawAnswer, ask, get, post

KEY = f"X-API-Key: {API_KEY}"
NOW = 1_800_000_000
OTHER_SECRET = "another-secret-of-more-than-32-characters"


@pytest.fixture
def centrifugo() -> Iterator[CentrifugoUpstream]:
    with CentrifugoUpstream() as running:
        yield running


def see(stand_in: CentrifugoUpstream, target: str, document: Any, *lines: str) -> RawAnswer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ask(stand_in.port, post(target, body, *lines))


def token(secret: str = TOKEN_SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode(claims, secret, algorithm)


@pytest.mark.parametrize(
    "line", [KEY, f"Authorization: apikey {API_KEY}", f"authorization: ApiKey {API_KEY}"]
)
def test_who_is_disconnected_is_kept_in_order(centrifugo: CentrifugoUpstream, line: str) -> None:
    assert see(centrifugo, "/api/disconnect", {"user": "ann"}, line).body == b'{"result":{}}'
    see(centrifugo, "/api/disconnect", {"user": "bob", "more": 1}, line)
    assert centrifugo.disconnected == ["ann", "bob"]


@pytest.mark.parametrize(
    "lines",
    [
        ["X-None: "],
        ["X-API-Key: "],
        ["X-API-Key: wrong"],
        ["X-API-Key: wrong", f"Authorization: apikey {API_KEY}"],
        ["Authorization: apikey wrong"],
        [f"Authorization: Bearer {API_KEY}"],
        [f"Authorization: {API_KEY}"],
    ],
)
@pytest.mark.parametrize("target", ["/api/disconnect", "/api/info", "/_sandbox/echo"])
def test_without_the_key_it_is_an_empty_401(
    centrifugo: CentrifugoUpstream, target: str, lines: list[str]
) -> None:
    answer = see(centrifugo, target, {"user": "ann"}, *lines)
    assert (answer.status, answer.body, centrifugo.disconnected) == (401, b"", [])


def test_the_key_in_the_query_does_not_count(centrifugo: CentrifugoUpstream) -> None:
    assert see(centrifugo, f"/api/info?api_key={API_KEY}", {}).status == 401


@pytest.mark.parametrize("document", [{}, {"user": ""}, {"client": "c1"}])
def test_a_failure_is_a_200_with_an_error(centrifugo: CentrifugoUpstream, document: Any) -> None:
    answer = see(centrifugo, "/api/disconnect", document, KEY)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (200, 107)
    assert centrifugo.disconnected == []


@pytest.mark.parametrize("document", [b"", b"junk", [], {"user": 7}, {"user": None}])
def test_a_body_of_another_form_is_a_bare_400(
    centrifugo: CentrifugoUpstream, document: Any
) -> None:
    answer = see(centrifugo, "/api/disconnect", document, KEY)
    assert (answer.status, answer.header("content-type")) == (400, "text/plain; charset=utf-8")
    assert centrifugo.disconnected == []


def test_info_tells_the_nodes(centrifugo: CentrifugoUpstream) -> None:
    told = json.loads(see(centrifugo, "/api/info", {}, KEY).body)
    assert len(told["result"]["nodes"]) == 1


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/api/info"), ("POST", "/api/"), ("POST", "/api/publish")]
)
def test_there_is_nothing_else(centrifugo: CentrifugoUpstream, method: str, target: str) -> None:
    assert ask(centrifugo.port, get(target, KEY, method=method)).status == 404


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"token": token(sub="ann")}, {"connect": {"user": "ann", "expires": False}}),
        ({}, BAD_REQUEST),
        ({"token": "junk"}, INVALID),
    ],
)
def test_a_token_can_be_tried_without_a_key(
    centrifugo: CentrifugoUpstream, document: Any, told: Any
) -> None:
    assert json.loads(see(centrifugo, "/_sandbox/connect", document).body) == told


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"exp": NOW + 60}, {"connect": {"user": "ann", "expires": True, "ttl": 60}}),
        ({"nbf": NOW - 1, "iat": NOW + 60}, {"connect": {"user": "ann", "expires": False}}),
        ({"exp": NOW}, EXPIRED),
        ({"nbf": NOW}, EXPIRED),
        ({"channel": "chat:a"}, INVALID),
        ({"sub": 7}, INVALID),
        ({"exp": "soon"}, INVALID),
        ({"exp": True}, INVALID),
        ({"exp": float("nan")}, INVALID),
        ({"jti": 7}, INVALID),
        ({"aud": 7}, INVALID),
        ({"aud": ["a", 7]}, INVALID),
        ({"aud": ["a", "b"], "iss": "c"}, {"connect": {"user": "ann", "expires": False}}),
    ],
)
def test_claims_are_looked_at(claims: dict[str, Any], told: Any) -> None:
    assert connect(token(**{"sub": "ann", **claims}), (TOKEN_SECRET,), NOW) == told


@pytest.mark.parametrize(
    "text",
    [
        "\ud800",
        "W1tb" * 5_000 + ".e30.e30",
        token("a-secret-that-nobody-here-has-ever-seen", sub="ann"),
        token(algorithm="HS384", sub="ann"),
        token("", "none", sub="ann"),
        f"Bearer {token(sub='ann')}",
    ],
)
def test_what_is_no_token_of_ours_ends_for_good(text: str) -> None:
    assert connect(text, (TOKEN_SECRET, OTHER_SECRET), time.time()) == INVALID


@pytest.mark.parametrize(
    ("claims", "is_good"),
    [
        ({"iss": "a", "aud": "c"}, True),
        ({"iss": "a", "aud": ["x", "c"]}, True),
        ({"iss": "a"}, False),
        ({"aud": "c"}, False),
        ({"iss": "x", "aud": "c"}, False),
        ({"iss": "a", "aud": "x"}, False),
        ({}, False),
    ],
)
def test_who_made_a_token_and_for_whom_may_matter(claims: dict[str, Any], is_good: bool) -> None:
    told = connect(token(sub="ann", **claims), (TOKEN_SECRET,), NOW, Parties("a", "c"))
    assert ("connect" in told) == is_good
