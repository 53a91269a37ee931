"""Which targets may go out, and that they go out as they came."""

import pytest

from chatproxy.errors import BadTarget
from chatproxy.forwarding.target import Target, Upstream


@pytest.mark.parametrize(
    "raw",
    [
        "/channels/messaging/a%2Fb",
        "/users?payload=%7B%22filter%22%3A1%7D&limit=30",
        "/channels//messaging",
        "/a:b@c!$&'()*+,;=x~._-",
        "/caf%C3%A9/%F0%9F%98%80",
        "/.hidden/..x/x..",
        "/%EF%BC%8E%EF%BC%8E/",  # full-width dots are a name, not a dot segment
        "/a?b?c",
        "/a?",
    ],
)
def test_a_plain_target_keeps_every_byte(raw: str) -> None:
    upstream = Upstream.at("https://chat.example/base/")

    assert upstream.url(Target.read(raw)) == f"https://chat.example/base{raw}"


@pytest.mark.parametrize(
    "path",
    [
        "/..",
        "/../app",
        "/a/./b",
        "/a/..",
        "/%2e%2e/app",
        "/.%2E/app",
        "/%252e%252e/app",
        "/%25252e%25252e/app",
        "/..%2fapp",
        "/a%2f..%2fb",
        "/..;x/app",
        "/..%3Bx/app",
        "/..%5capp",
        "/a%5Cb",
        "/a\\b",
        "/a%255cb",
        "/%00",
        "/%2500",
        "/a%0d%0ab",
        "/a%7f",
        "/%c0%ae%c0%ae/",
        "/%zz",
        "/%",
        "/a%2",
        "/%" + "25" * 9 + "41",
    ],
)
def test_what_two_servers_may_read_differently_is_refused(path: str) -> None:
    with pytest.raises(BadTarget):
        Target.read(f"/proxy{path}").below("/proxy")


@pytest.mark.parametrize("raw", ["/a#b", "*", "host:80", "ftp://h/x", "/a?b#c"])
def test_a_target_that_is_no_path_is_refused(raw: str) -> None:
    with pytest.raises(BadTarget):
        Target.read(raw)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("http://evil.example/proxy/x", "/proxy/x"),
        ("HTTPS://evil.example:1", "/"),
        ("http://evil.example?x=1", "/"),
    ],
)
def test_the_authority_of_an_absolute_target_is_dropped(raw: str, path: str) -> None:
    assert Target.read(raw).path == path


def test_a_mount_is_taken_off_literally() -> None:
    assert Target.read("/proxy/a%2Fb?x").below("/proxy") == Target("/a%2Fb", "x")

    with pytest.raises(BadTarget):
        Target.read("/pro%78y/a").below("/proxy")


@pytest.mark.parametrize(
    ("base", "authority", "origin"),
    [
        ("https://h", "h", "https://h"),
        ("https://h:443", "h", "https://h"),
        ("http://h:443", "h:443", "http://h:443"),
        ("http://[::1]:8080/a", "[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_upstream_names_its_port_only_where_it_must(
    base: str, authority: str, origin: str
) -> None:
    upstream = Upstream.at(base)

    assert (upstream.authority, upstream.origin) == (authority, origin)
