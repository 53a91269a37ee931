"""Patterns of paths: what fits, and that no spelling of a path opens more than the plain one."""

import time

import pytest

from chatproxy.access.patterns import (
    EndpointPattern,
    PathPattern,
    Users,
    Wildcard,
    readings,
    segments_of,
)
from chatproxy.access.rules import METHODS, Caller, Rule

ANN = Users((Wildcard("ann"), Wildcard("team-*")))


def allows(pattern: str, path: str, users: Users = ANN) -> bool:
    rule = Rule(frozenset({"p"}), frozenset({"GET"}), (PathPattern.read(pattern),))
    caller = Caller("c", (), frozenset({"p"}), (rule,), users=users)
    return caller.may_forward("p", ("GET",), path).allowed


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/users", "/users"),
        ("/users", "/users/"),
        ("/users/", "/users"),
        ("/users", "/%75sers"),
        ("/users", "/%75%73ers/"),
        ("/a~b", "/a%7eb"),
        ("/a~b", "/a%7Eb"),
        ("/é", "/%C3%A9"),
        ("/é", "/%c3%a9"),
        ("/channels/*/query", "/channels/messaging/query"),
        ("/channels/*/query", "/channels/a%20b/query"),
        ("/channels/*/query", "/channels/!a:b@c/query"),
        ("/channels/**", "/channels"),
        ("/channels/**", "/channels/"),
        ("/channels/**", "/channels/a/b/c"),
        ("/channels/**", "/channels/a%2Fb/c;d//e"),
        ("/export-*", "/export-users"),
        ("/*.json", "/app.json"),
        ("/**", "/"),
        ("/**", "/anything//at%2fall"),
        ("/", "/"),
        ("/users/{user}", "/users/ann"),
        ("/users/{user}", "/users/%61nn"),
        ("/users/{user}/mute", "/users/team-7/mute"),
    ],
)
def test_it_is_allowed(pattern: str, path: str) -> None:
    assert allows(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/users", "/Users"),
        ("/users", "/user"),
        ("/users", "/userss"),
        ("/users", "/users/x"),
        ("/users", "//users"),
        ("/users", "/users//"[:-1] + "/x"),
        ("/users", "/users;x"),
        ("/users", "/users%3bx"),
        ("/users", "/users%00"),
        ("/users", "/users%20"),
        ("/users", "/x%2f..%2fusers"),
        ("/users", "/%2575sers"),
        ("/users", "/%EF%BD%95sers"),
        ("/users", "/users%3Fx"),
        ("/users", "/users%23x"),
        ("/users", "/users%2Fx"),
        ("/users", "/"),
        ("/users", ""),
        ("/channels/*", "/channels"),
        ("/channels/*", "/channels/"),
        ("/channels/*", "/channels//"),
        ("/channels/*", "/channels/a/b"),
        ("/channels/*", "/channels/a%2Fb"),
        ("/channels/*", "/channels/a%252Fb"),
        ("/channels/*", "/channels/a%25252Fb"),
        ("/channels/*", "/channels/a%5Cb"),
        ("/channels/*", "/channels/a%EF%BC%8Fb"),
        ("/channels/*/query", "/channels/a%2Fdelete%3F/query"),
        ("/channels/*/query", "/channels/a%3F/query"),
        ("/channels/*/query", "/channels/a/%3F/query"),
        ("/channels/*/query", "/channels//query"),
        ("/channels/*/query", "/channels/;/query"),
        ("/channels/query", "/channels//query"),
        ("/channels/**", "/x%2Fchannels/a"),
        ("/channels/**", "/channelsx/a"),
        ("/channels/**", "/;/channels/a"),
        ("/channels/**", "/channels/%EF%BC%8E%EF%BC%8E/users"),
        ("/channels/**", "/channels/../users"),
        ("/channels/**", "/channels/%2e%2e/users"),
        ("/channels/**", "/channels/%252e%252e%252fusers"),
        ("/**", "/a/%2e%2e/b"),
        ("/users/{user}", "/users/bob"),
        ("/users/{user}", "/users/ann/x"),
        ("/users/{user}", "/users/ann%2Fbob"),
        ("/users/{user}", "/users/bob;ann"),
        ("/users/{user}", "/users/ann;x=bob"),
        ("/users/{user}", "/users/team-7%2Fx"),
        ("/", "/x"),
    ],
)  # fmt: skip
def test_it_is_refused(pattern: str, path: str) -> None:
    assert not allows(pattern, path)


@pytest.mark.parametrize(
    "path", ["/users//mute", "/users/;x/mute", "/users/%3Bx/mute", "/users//", "//ann/mute"]
)
def test_nobody_is_no_user(path: str) -> None:
    everybody = Users((Wildcard("*"),))

    assert allows("/users/{user}/mute", "/users/ann/mute", everybody)
    assert not allows("/users/{user}/mute", path, everybody)
    assert not allows("/users/{user}", path, everybody)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("users", "begin with a slash"),
        ("", "begin with a slash"),
        ("*", "begin with a slash"),
        ("/a//b", "neither `//`"),
        ("/a/../b", "nor a dot segment"),
        ("/./b", "nor a dot segment"),
        ("/a/**/b", "at the end only"),
        ("/a*b*c", "one `*` at most"),
        ("/a**", "one `*` at most"),
        ("/a%2Fb", "must not hold '%'"),
        ("/a?b", "must not hold '?'"),
        ("/a b", "must not hold ' '"),
        ("/a\\b", "must not hold"),
        ("/{id}", "must not hold '{'"),
        ("/a\x00", "must not hold"),
    ],
)
def test_a_pattern_that_could_be_meant_otherwise_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("*", r"\*").replace("?", r"\?")):
        PathPattern.read(text)


@pytest.mark.parametrize(
    ("pattern", "method", "endpoint", "covered"),
    [
        ("/token", "GET", "/token/<user_id>", True),
        ("/token/*", "GET", "/token/<user_id>", True),
        ("/token/<userId>", "GET", "/token/<user_id>", True),
        ("/token/ann", "GET", "/token/<user_id>", False),
        ("/tok", "GET", "/token/<user_id>", False),
        ("GET /token", "GET", "/token/<user_id>", True),
        ("POST /token", "GET", "/token/<user_id>", False),
        ("/api/users/ensure", "GET", "/api/users/<user_id>", False),
        ("/api/users", "POST", "/api/users/<user_id>/revoke-tokens", True),
        ("/", "GET", "/token/<user_id>", True),
        ("*", "GET", "/token/<user_id>", True),
        ("/tokens", "GET", "/token/<user_id>", False),
    ],
)
def test_an_endpoint_stands_for_all_below_it(
    pattern: str, method: str, endpoint: str, covered: bool
) -> None:
    found = EndpointPattern.read(pattern, METHODS)

    assert found.covers(method, segments_of(endpoint)) is covered


@pytest.mark.parametrize(
    "path",
    ["/" + "%25" * 2700, "/" * 8000, "/;" * 4000, "/a%2f%3b%3f%23" * 570, "/%EF%BC%8F" * 800],
    ids=range(5),
)
def test_the_worst_path_takes_little_time(path: str) -> None:
    began = time.process_time()
    readings(path)

    assert time.process_time() - began < 0.1
