"""`UPSTREAM_PROXY`: every connection goes through it, and its faults are told from others."""

import base64
import contextlib
import dataclasses
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trustme

from chatproxy.errors import UpstreamUnreachable
from chatproxy.forwarding.connect import Connector
from chatproxy.forwarding.target import Upstream
from chatproxy.forwarding.timeouts import Deadline, Limits
from chatproxy.forwarding.tunnel import Proxy
from chatproxy.settings.files import MountedFile
from tests.canaries import API_KEY, PROXY_PASSWORD, forms
from tests.forwarding.addresses import dead_address
from tests.mounted import wait_for
from tests.sidecar import Sidecar, free_port
from tests.tls_end import tls_before
from tests.upstream import StreamUpstream
from tests.upstream.connect_proxy import OPEN, ConnectProxy, Misbehaviour
from tests.upstream.peer import reset_when_closed
from tests.wire import RawAnswer, ask, get, post

ECHO = "/proxy/_sandbox/echo"
USER = "sidecar@example"
BASIC = base64.b64encode(f"{USER}:{PROXY_PASSWORD}".encode())

LIMITS = Limits(connect=10, read=10, total=10, body_idle=10, body_total=10, body_bytes=10)

BeforeUrl = Callable[..., Sidecar]


@pytest.fixture
def secure(upstream: StreamUpstream, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The https URL of the upstream, and the file of its authority."""
    with tls_before(upstream.port, tmp_path) as (url, ca_file):
        yield url, str(ca_file)


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with ConnectProxy() as running:
        yield running


def with_password(address: str) -> str:
    return f"http://{quote(USER, safe='')}:{quote(PROXY_PASSWORD, safe='')}@{address}"


@pytest.mark.parametrize("credentials", [True, False], ids=["password", "no password"])
def test_tls_goes_through_the_tunnel_to_the_upstream(
    secure: tuple[str, str], proxy: ConnectProxy, sidecar_before: BeforeUrl, credentials: bool
) -> None:
    url, ca_file = secure
    proxy_url = with_password(proxy.address) if credentials else proxy.url

    with sidecar_before(url, UPSTREAM_CA_FILE=ca_file, UPSTREAM_PROXY=proxy_url) as sidecar:
        assert ask(sidecar.port, get(ECHO)).status == 200

    authority = url.removeprefix("https://").encode()
    (head,) = proxy.heads
    given = re.findall(rb"Proxy-Authorization: (.*)\r\n", head, re.IGNORECASE)
    assert head.startswith(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n" % (authority, authority))
    assert given == ([b"Basic " + BASIC] if credentials else [])
    assert b"localhost" in proxy.carried  # SNI
    assert API_KEY.encode() not in proxy.carried


def test_a_plain_upstream_is_reached_through_a_tunnel_as_well(
    upstream: StreamUpstream, proxy: ConnectProxy, sidecar_before: BeforeUrl
) -> None:
    with sidecar_before(upstream.url, UPSTREAM_PROXY=with_password(proxy.address)) as sidecar:
        assert ask(sidecar.port, get(ECHO)).status == 200
        assert ask(sidecar.port, post(ECHO, b"{}")).status == 200
        assert ask(sidecar.port, get("/-/check-up")).status == 200  # a call of its own

    assert len(proxy.heads) == 1  # and the connection is kept
    assert b"proxy-authorization" not in proxy.carried.lower()
    assert len(upstream.journal) == 3


def test_the_certificate_is_the_upstreams_not_the_proxys(
    secure: tuple[str, str], proxy: ConnectProxy, sidecar_before: BeforeUrl
) -> None:
    """The authority of the upstream's certificate is not one that is trusted."""
    with sidecar_before(secure[0], UPSTREAM_PROXY=proxy.url) as sidecar:
        answer = ask(sidecar.port, get(ECHO))
        line = sidecar.wait_for_line(path=ECHO)

    assert answer.status == 502
    assert "CERTIFICATE_VERIFY_FAILED" in line["error"]["detail"]
    assert line["brokenBy"] == "upstream"


def test_no_variable_of_other_programs_names_a_proxy(
    upstream: StreamUpstream, proxy: ConnectProxy, sidecar_before: BeforeUrl
) -> None:
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

    with sidecar_before(upstream.url, **dict.fromkeys(names, proxy.url)) as sidecar:
        assert ask(sidecar.port, get(ECHO)).status == 200
        assert ask(sidecar.port, get("/-/check-up")).status == 200

    assert proxy.heads == []


def test_no_variable_of_other_programs_goes_past_the_proxy(
    upstream: StreamUpstream, proxy: ConnectProxy, sidecar_before: BeforeUrl
) -> None:
    others = {"NO_PROXY": "*", "no_proxy": "*", "http_proxy": "http://127.0.0.1:9"}

    with sidecar_before(upstream.url, UPSTREAM_PROXY=proxy.url, **others) as sidecar:
        assert ask(sidecar.port, get(ECHO)).status == 200

    assert len(proxy.heads) == 1


def test_an_excepted_host_is_reached_directly(
    upstream: StreamUpstream, proxy: ConnectProxy, sidecar_before: BeforeUrl
) -> None:
    settings = {"UPSTREAM_PROXY": proxy.url, "UPSTREAM_PROXY_EXCEPT": "chat.example, 127.0.0.1"}

    with sidecar_before(upstream.url, **settings) as sidecar:
        assert ask(sidecar.port, get(ECHO)).status == 200

    assert proxy.heads == []


def _say(*pieces: bytes) -> Misbehaviour:
    def say(near: socket.socket, _: bytes) -> None:
        for piece in pieces:
            near.sendall(piece)

    return say


def _repeat_credentials(near: socket.socket, head: bytes) -> None:
    near.sendall(b"HTTP/1.1 407 %s\r\nX-Sent: %s\r\n\r\n" % (BASIC, BASIC) + head)


def _speak_garbage_of_credentials(near: socket.socket, head: bytes) -> None:
    near.sendall(BASIC + PROXY_PASSWORD.encode() + b"\r\n\r\n" + head)


def _hang(near: socket.socket, _: bytes) -> None:
    near.recv(1)


def _drip(near: socket.socket, _: bytes) -> None:
    for byte in OPEN * 100:
        near.sendall(bytes([byte]))
        time.sleep(0.1)


def _flood(near: socket.socket, _: bytes) -> None:
    while True:
        near.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


@dataclasses.dataclass
class Behind:
    """A sidecar whose connections all go through one proxy."""

    proxy: ConnectProxy
    sidecar: Sidecar

    def ask(self, instead: Misbehaviour, path: str) -> tuple[RawAnswer, dict[str, Any]]:
        """Call while the proxy does that; return the answer and the line of this path's call."""
        self.proxy.instead = instead
        answer = ask(self.sidecar.port, get(path))
        return answer, self.sidecar.wait_for_line(path=path)


@pytest.fixture(scope="module")
def plainly(upstream: StreamUpstream, sidecar_before: BeforeUrl) -> Iterator[Behind]:
    """A plain upstream, and little patience with the proxy."""
    with ConnectProxy() as proxy:
        url = with_password(proxy.address)
        settings = {"UPSTREAM_PROXY": url, "UPSTREAM_CONNECT_TIMEOUT": "1"}

        with sidecar_before(upstream.url, **settings) as sidecar:
            yield Behind(proxy, sidecar)


@pytest.fixture(scope="module")
def by_tls(sidecar_before: BeforeUrl) -> Iterator[Behind]:
    with ConnectProxy() as proxy:
        url = with_password(proxy.address)

        with sidecar_before("https://chat.example", UPSTREAM_PROXY=url) as sidecar:
            yield Behind(proxy, sidecar)


@pytest.mark.parametrize(
    ("instead", "status", "detail"),
    [
        (_repeat_credentials, 502, "answered 407"),
        (_say(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nNo"), 502, "answered 403"),
        (_say(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), 502, "answered 502"),
        (_say(b"HTTP/1.1 302 Found\r\nLocation: http://a/\r\n\r\n"), 502, "answered 302"),
        (_say(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), 502, "did not answer in HTTP"),
        (_speak_garbage_of_credentials, 502, "did not answer in HTTP"),
        (_say(b"\x15\x03\x01\x00\x02\x02\x46" * 9), 502, "did not answer in HTTP"),
        (_say(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\n"), 502, "too large"),
        (_say(b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 20_000 + b"\r\n"), 502, "too large"),
        (_flood, 502, "too large"),
        (_say(), 502, "closed the connection"),
        (_say(b"HTTP/1.1 200 OK\r\nX-Half: "), 502, "closed the connection"),
        (_say(OPEN + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 502, "bytes of its own"),
        (_hang, 504, "no answer in time"),
        (_drip, 504, "no answer in time"),
    ],
    ids=[
        "407", "403", "502", "302", "101", "garbage", "TLS alert", "long head", "many fields",
        "endless interim answers", "close", "half a head", "bytes in the tunnel", "hang", "drip",
    ],
)  # fmt: skip
def test_a_fault_of_the_proxy_is_laid_to_the_proxy(
    request: pytest.FixtureRequest,
    upstream: StreamUpstream,
    plainly: Behind,
    instead: Misbehaviour,
    status: int,
    detail: str,
) -> None:
    started = time.monotonic()
    answer, line = plainly.ask(instead, _path_of(request))
    seconds = time.monotonic() - started

    _lays_it_to_the_proxy(answer, line, status, plainly.proxy.port)
    assert detail in line["error"]["detail"]
    assert seconds < 4
    assert len(upstream.journal) == 0


def _open_and_say_later(near: socket.socket, _: bytes) -> None:
    near.sendall(OPEN)
    near.recv(1)
    near.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")


def _open_and_reset(near: socket.socket, _: bytes) -> None:
    near.sendall(OPEN)
    near.recv(1)
    reset_when_closed(near)
    near.close()


@pytest.mark.parametrize(
    "instead", [_say(OPEN), _open_and_say_later, _open_and_reset], ids=["end", "page", "reset"]
)
def test_a_tunnel_that_leads_nowhere_is_laid_to_the_proxy(
    request: pytest.FixtureRequest, by_tls: Behind, instead: Misbehaviour
) -> None:
    """Some proxies say yes before they have connected."""
    answer, line = by_tls.ask(instead, _path_of(request))

    _lays_it_to_the_proxy(answer, line, 502, by_tls.proxy.port)


@pytest.mark.parametrize("way", ["refused", "silent", "unknown name"])
def test_a_proxy_that_is_not_there_is_named(
    upstream: StreamUpstream, sidecar_before: BeforeUrl, way: str
) -> None:
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(dead_address())[1] if way == "silent" else free_port()
        host = "no-such-name.invalid" if way == "unknown name" else "127.0.0.1"
        settings = {
            "UPSTREAM_PROXY": with_password(f"{host}:{port}"),
            "UPSTREAM_CONNECT_TIMEOUT": "1",
        }
        sidecar = stack.enter_context(sidecar_before(upstream.url, **settings))
        answer = ask(sidecar.port, get(ECHO))
        line = sidecar.wait_for_line(path=ECHO)

    # A name server that is away lets the look-up wait, and that ends at the limit.
    expected = {"refused": (502,), "silent": (504,), "unknown name": (502, 504)}[way]
    assert answer.status in expected
    _lays_it_to_the_proxy(answer, line, answer.status, port)


def test_silence_in_the_tunnel_is_the_upstreams(
    sidecar_before: BeforeUrl, proxy: ConnectProxy
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        settings = {"UPSTREAM_PROXY": proxy.url, "UPSTREAM_CONNECT_TIMEOUT": "1"}

        with sidecar_before(url, **settings) as sidecar:
            answer = ask(sidecar.port, get(ECHO))
            line = sidecar.wait_for_line(path=ECHO)

    assert answer.status == 504
    assert line["brokenBy"] == "upstream"


@pytest.mark.parametrize("host", ["a..b", "a" * 64, ".a"])
def test_a_name_that_no_certificate_can_have_is_the_upstreams(host: str) -> None:
    """The proxy may find it all the same. Such a name is refused at the start as well."""
    with ConnectProxy(lambda near, _: near.sendall(OPEN)) as proxy:
        connector = Connector(Upstream.at(f"https://{host}"), None, Proxy.at(proxy.url))

        with pytest.raises(UpstreamUnreachable):
            connector.connect(Deadline(LIMITS, time.monotonic))

        connector.close()
        assert len(proxy.heads) == 1


def test_a_proxy_that_changes_during_the_look_up_is_not_shown_the_others_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ConnectProxy(lambda near, _: near.sendall(OPEN)) as before:
        old = dataclasses.replace(Proxy.at(before.url), authorization="Basic old")
        connector = Connector(Upstream.at("http://chat.example"), None, old)
        look_up = socket.getaddrinfo

        def rotate(*args: Any, **kwargs: Any) -> Any:
            connector.connect_by(None, Proxy("proxy.example", 3128, "Basic new"))
            return look_up(*args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", rotate)
        connector.connect(Deadline(LIMITS, time.monotonic)).close()
        connector.close()

        (head,) = before.heads
        assert b"Basic old\r\n" in head


def test_certificates_are_not_read_again_for_another_password(
    monkeypatch: pytest.MonkeyPatch, authority: tuple[trustme.CA, Path]
) -> None:
    """Each reading takes the worker from its calls for many milliseconds."""
    read = []
    trusted = MountedFile(str(authority[1]), authority[1].read_bytes())
    make = ssl.create_default_context

    def counted(**kwargs: Any) -> ssl.SSLContext:
        read.append(kwargs)
        return make(**kwargs)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    connector = Connector(Upstream.at("https://chat.example"), None, Proxy("proxy", 3128))

    for ca_file, wanted in [(None, 1), (trusted, 2), (dataclasses.replace(trusted), 2), (None, 3)]:
        connector.connect_by(ca_file, Proxy("proxy", 3128, f"Basic {wanted}"))
        assert len(read) == wanted

    connector.close()


def test_a_proxys_credentials_are_no_part_of_its_repr() -> None:
    assert Proxy.at(with_password("proxy:3128")) == Proxy("proxy", 3128, f"Basic {BASIC.decode()}")
    assert forms(PROXY_PASSWORD).isdisjoint(repr(Proxy.at(with_password("proxy"))).split("'"))
    assert "Basic" not in repr(Proxy.at(with_password("proxy")))


def _path_of(request: pytest.FixtureRequest) -> str:
    """A path of this test's own, by which its line is found."""
    name: str = request.node.callspec.id
    return f"{ECHO}/{name.replace(' ', '-')}"


def _lays_it_to_the_proxy(
    answer: RawAnswer, line: dict[str, object], status: int, port: int
) -> None:
    assert answer.status == status
    assert "The outbound proxy" in json.loads(answer.body)["message"]
    assert line["brokenBy"] == "proxy"
    assert str(port).encode() not in answer.body
    text = answer.body.decode() + json.dumps(line)
    assert [form for form in forms(PROXY_PASSWORD) | {BASIC.decode()} if form in text] == []


def test_a_password_that_rotates_is_shown_from_the_next_connection_on(
    secure: tuple[str, str], proxy: ConnectProxy, tmp_path: Path, sidecar_before: BeforeUrl
) -> None:
    url, ca_file = secure
    secret = tmp_path / "proxy"
    written = quote(PROXY_PASSWORD, safe="")
    secret.write_text(with_password(proxy.address).replace(written, "the-old-password"))

    # With a pool of none each call opens a connection.
    with sidecar_before(
        url, UPSTREAM_CA_FILE=ca_file, UPSTREAM_PROXY_FILE=str(secret), UPSTREAM_POOL_SIZE="0"
    ) as sidecar:
        assert ask(sidecar.port, get(ECHO)).status == 200
        assert BASIC not in proxy.heads[-1]
        secret.write_text(with_password(proxy.address))

        def is_shown() -> bool:
            assert ask(sidecar.port, get(ECHO)).status == 200
            return BASIC in proxy.heads[-1]

        wait_for(is_shown, within=20)
