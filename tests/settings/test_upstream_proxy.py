"""The proxy's URL: which are understood, what is said of others, and where none is used."""

from base64 import b64encode
from urllib.parse import unquote_to_bytes

import pytest

from chatproxy.errors import SettingsError
from chatproxy.forwarding.tunnel import Proxy
from chatproxy.providers import SETTINGS
from chatproxy.settings import Settings, load
from tests.settings.loading import problems_of

MINIMUM = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}
PASSWORD = "s3cret-of-the-proxy"


def loaded(**variables: str) -> Settings:
    return load(SETTINGS, MINIMUM | variables)


@pytest.mark.parametrize(
    ("url", "host", "port", "pair"),
    [
        ("http://proxy:3128", "proxy", 3128, None),
        ("http://proxy.example/", "proxy.example", 80, None),
        ("http://[::1]:3128", "::1", 3128, None),
        ("http://user:pass@proxy:3128", "proxy", 3128, b"user:pass"),
        ("http://user@proxy:3128", "proxy", 3128, b"user:"),
        ("http://user:@proxy:3128", "proxy", 3128, b"user:"),
        ("http://:pass@proxy:3128", "proxy", 3128, b":pass"),
        ("http://user:a:b@proxy:3128", "proxy", 3128, b"user:a:b"),
        ("http://DOM%5Cuser:p%40s%2Fs%25@proxy:3128", "proxy", 3128, b"DOM\\user:p@s/s%"),
        ("http://jörg:für@proxy:3128", "proxy", 3128, "jörg:für".encode()),
        ("http://Proxy.Example.:3128", "proxy.example.", 3128, None),
        ("http://user:p@[2001:DB8::1]", "2001:db8::1", 80, b"user:p"),
        ("http://user:p@[::ffff:10.0.0.7]:3128", "::ffff:10.0.0.7", 3128, b"user:p"),
    ],
)
def test_a_url_is_understood(url: str, host: str, port: int, pair: bytes | None) -> None:
    found = loaded(UPSTREAM_PROXY=url).proxy_to("chat.example")
    assert found is not None
    proxy = Proxy.at(found)

    assert (proxy.host, proxy.port) == (host, port)
    assert proxy.authorization == (f"Basic {b64encode(pair).decode()}" if pair else "")


@pytest.mark.parametrize("where", ["user", "password"])
@pytest.mark.parametrize(
    "odd",
    # What `urlsplit` takes for an address, what it refuses since NFKC makes `/`, `?`, `#`, `@` or
    # `:` of it, and what it removes.
    [
        "[",
        "]",
        "[]",
        "a[b]c",
        "[::1]",
        "[v1.x]",
        *"℀℅⁇﹖？＃﹟＠﹫：﹕／",
        "\\",
        '"',
        "<>",
        "^`{|}",
        "&=+$,;",
    ]
    + ["%5B", "%E2%84%80", "%FF", "😀"],
)
def test_every_password_that_is_taken_is_shown(odd: str, where: str) -> None:
    user, password = (odd, "p") if where == "user" else ("u", odd)
    found = loaded(UPSTREAM_PROXY=f"http://{user}:{password}@proxy:3128").proxy_to("chat.example")
    assert found is not None

    proxy = Proxy.at(found)

    pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    assert proxy == Proxy("proxy", 3128, f"Basic {b64encode(pair).decode()}")


@pytest.mark.parametrize("character", [chr(code) for code in range(0x21, 0x7F)])
def test_no_character_is_taken_that_fails_later(character: str) -> None:
    """Whatever the settings accept, in any place, can be connected to."""
    for url in (
        f"http://{character}:p@proxy:3128",
        f"http://u:{character}@proxy:3128",
        f"http://u:p@{character}:3128",
        f"http://u:p@[{character}]:3128",
        f"http://u:p@[::{character}]",
        f"http://u:p@proxy:{character}",
        f"http://u:p@proxy{character}",
    ):
        try:
            found = loaded(UPSTREAM_PROXY=url).proxy_to("chat.example")
        except SettingsError:
            continue

        assert found is not None
        assert Proxy.at(found).port in range(1, 65536)


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{PASSWORD}",
        f"https://user:{PASSWORD}@proxy:3128",
        f"socks5://user:{PASSWORD}@proxy:1080",
        f"user:{PASSWORD}@proxy:3128",
        f"http://user:{PASSWORD}@proxy:0",
        f"http://user:{PASSWORD}@proxy:65536",
        f"http://user:{PASSWORD}@proxy:port",
        f"http://user:{PASSWORD}@",
        f"http://user:{PASSWORD}@proxy:3128/path",
        f"http://user:{PASSWORD}@proxy:3128?query",
        f"http://user:{PASSWORD}#more@proxy:3128",
        f"http://user:{PASSWORD}/more@proxy:3128",
        f"http://user:{PASSWORD}@more@proxy:3128",
        f"http://user:{PASSWORD}%zz@proxy:3128",
        f"http://user:{PASSWORD}%@proxy:3128",
        f"http://user:{PASSWORD}%0d%0aX:1@proxy:3128",
        f"http://us%3Aer:{PASSWORD}@proxy:3128",
        f"http://user:{PASSWORD} more@proxy:3128",
        f"http://user:{PASSWORD}\udcff@proxy:3128",  # a byte that is no UTF-8
        f"http://user:{PASSWORD}@[1:2]:3128",
        f"http://user:{PASSWORD}@[10.0.0.7]:3128",
        f"http://user:{PASSWORD}@[::1:3128",
        f"http://user:{PASSWORD}@[:::]",
        f"http://user:{PASSWORD}@[.]",
        "proxy:3128",
        "direct",
    ],
)
def test_another_text_stops_the_start_and_is_not_repeated(url: str) -> None:
    (problem,) = problems_of(**MINIMUM, UPSTREAM_PROXY=url)

    assert problem.startswith("UPSTREAM_PROXY: is not the http URL of a proxy, such as http://")
    assert PASSWORD not in problem


def test_the_password_is_hidden_in_every_form() -> None:
    settings = loaded(UPSTREAM_PROXY="http://user:p%40ss-word@proxy:3128")

    assert "ss-word" not in repr(settings)
    assert {"p%40ss-word", "p@ss-word"} <= set(settings.secrets())


def test_without_the_setting_nothing_goes_through_a_proxy() -> None:
    assert loaded().proxy_to("chat.example") is None


@pytest.mark.parametrize(
    ("exceptions", "host", "is_direct"),
    [
        ("localhost, chat.example", "chat.example", True),
        ("chat.example", "CHAT.example.", True),
        ("chat.example", "a.chat.example", False),
        ("chat.example", "mychat.example", False),
        (".chat.example", "a.chat.example", True),
        (".chat.example", "chat.example", True),
        (".chat.example", "mychat.example", False),
        ("[::1]", "::1", True),
        ("10.0.0.7", "10.0.0.7", True),
        ("10.0.0.7", "110.0.0.7", False),
    ],
)
def test_an_exception_is_a_host_or_a_domain(exceptions: str, host: str, is_direct: bool) -> None:
    settings = loaded(UPSTREAM_PROXY="http://proxy:3128", UPSTREAM_PROXY_EXCEPT=exceptions)

    assert (settings.proxy_to(host) is None) == is_direct


@pytest.mark.parametrize(
    ("url", "exceptions", "warned"),
    [
        ("http://localhost:9000", "", True),
        ("http://127.0.0.1:9000", "", True),
        ("http://127.0.0.1:9000", "127.0.0.1", False),
        ("https://chat.example", "", False),
    ],
)
def test_the_loopback_of_the_proxys_machine_is_warned_of(
    url: str, exceptions: str, warned: bool
) -> None:
    settings = loaded(
        UPSTREAM_PROXY="http://proxy:3128", UPSTREAM_PROXY_EXCEPT=exceptions, STREAM_BASE_URL=url
    )
    warnings = [one for one in settings.warnings() if one.startswith("STREAM_BASE_URL")]

    assert len(warnings) == warned
    assert all("UPSTREAM_PROXY_EXCEPT" in one for one in warnings)
