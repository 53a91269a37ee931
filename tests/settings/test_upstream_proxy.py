"""The proxy's URL: which are understood, what is said of others, and where none is used."""

from base64 import b64encode

import pytest

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
    ],
)
def test_a_url_is_understood(url: str, host: str, port: int, pair: bytes | None) -> None:
    found = loaded(UPSTREAM_PROXY=url).proxy_to("chat.example")
    assert found is not None
    proxy = Proxy.at(found)

    assert (proxy.host, proxy.port) == (host, port)
    assert proxy.authorization == (f"Basic {b64encode(pair).decode()}" if pair else "")


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
