"""A web page in a browser on this machine: whatever it sends, nothing is forwarded or written."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from tests import canaries
from tests.calls import Reply, call
from tests.databases import new_directory
from tests.sidecar import Sidecar, free_port
from tests.upstream import StreamUpstream
from tests.wire import answer_on, ask, connected, get, post

#: Whose rows have rules of their own for pages of other sites. A new one has to be thought about.
FOR_PAGES = {
    "chatsdk-api",
    "chatsdk-preflight",
    "chatsdk-renewal",
    "imkit-forwarded",
    "imkit-me",
    "imkit-me-badge",
    "imkit-preflight",
    "imkit-socket",
}
PROXIES = ["/proxy", *(f"/{name}/proxy" for name in SETTINGS)]
CALLS = [("GET", "/token/alice"), ("POST", "/webhook/verify"), ("GET", "/proxy/app")]
PROBES = ["/-/healthz", "/-/healthz/", "/-/ready", "/-/ready/"]
#: Prometheus names the pod's address as well.
BY_ANY_NAME = [*PROBES, "/-/metrics", "/-/metrics/"]
#: A provider calls by the name of whatever leads here. A page could not sign what it sends.
RECEIVING = {"/webhook/stream"}
EVIL = "evil.example"

#: Where each provider's error bodies have their message.
MESSAGES: dict[str, Callable[[Any], str]] = {
    "stream": lambda body: str(body["message"]),
    "chatsdk": lambda body: str(body["error"]["message"]),
    "performchat": lambda body: str(body["message"]),
    "imkit": lambda body: str(body["RM"]),
    "imbachat": lambda body: str(body["error"]),
}

#: What a browser sends with the request of a page of another site.
FROM_ANOTHER_SITE = {
    "form": ["Sec-Fetch-Site: cross-site", f"Origin: https://{EVIL}"],
    "older browser": [f"Origin: https://{EVIL}"],
    "image": ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"],
    "link": ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1"],
    "another port": ["Sec-Fetch-Site: same-site", "Origin: http://localhost:5173"],
    "another port, older browser": ["Origin: http://localhost:5173"],
    "sandboxed": ["Origin: null"],
    "loopback by another name": ["Origin: http://127.0.0.1"],
    "app": ["Origin: tauri://localhost"],
    "two origins": ["Origin: http://localhost", f"Origin: https://{EVIL}"],
    "another scheme's own port": ["Origin: http://localhost:443"],
    "no host": ["Origin: http://"],
    "a port and no host": ["Origin: http://:80"],
    "empty site, another origin": ["Sec-Fetch-Site:", f"Origin: https://{EVIL}"],
    "another site, empty origin": ["Sec-Fetch-Site: cross-site", "Origin:"],
    "two sites": ["Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"],
    "a site to come": ["Sec-Fetch-Site: same-planet"],
    "only the origin says so": ["Sec-Fetch-Site: same-origin", f"Origin: https://{EVIL}"],
    "only the site says so": ["Sec-Fetch-Site: cross-site", "Origin: http://localhost"],
}

#: Who may call: no browser, or a page of the same host and port.
FROM_HERE = {
    "no browser": [],
    "fetch of Node.js": ["Sec-Fetch-Mode: cors"],
    "address typed in": ["Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1"],
    "own page": ["Sec-Fetch-Site: same-origin", "Origin: http://localhost"],
    "own page, older browser": ["Origin: http://localhost"],
    "own page behind TLS": ["Origin: https://localhost"],
    "the scheme's own port": ["Origin: http://localhost:80"],
    "the own port of TLS": ["Origin: https://localhost:443"],
    "origin removed by a gateway": ["Origin:"],
    "site removed by a gateway": ["Sec-Fetch-Site:"],
    "both removed by a gateway": ["Origin: ", "Sec-Fetch-Site: "],
    "with a referrer": [f"Referer: https://{EVIL}/"],
    "forwarded": [f"X-Forwarded-Host: {EVIL}", f"Forwarded: host={EVIL}"],
}

LOOPBACK = [
    "localhost",
    "localhost:3000",
    "LocalHost",
    "localhost.",
    "localhost.:3000",
    "app.localhost",
    "a.b-c_d.localhost:3000",
    "127.0.0.1",
    "127.0.0.1:65535",
    "127.1.2.3",
    "127.0.0.1.",
    "[::1]",
    "[::1]:3000",
    "[0:0:0:0:0:0:0:1]",
]
ELSEWHERE = [
    EVIL,
    f"{EVIL}:3000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil-localhost",
    "evillocalhost",
    "localhostx",
    ".localhost",
    "a..localhost",
    "localhost..",
    "localhost.localdomain",
    "loc%61lhost",
    "0.0.0.0",
    "10.0.0.1",
    "128.0.0.1",
    "127.0.0.256",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "[::]",
    "[::2]",
    "[fe80::1]",
    "chatproxy",
]


@pytest.fixture(scope="module")
def environ(upstream: StreamUpstream) -> dict[str, str]:
    """Every provider is on, and all have one server, which tells what it got."""
    return {
        "PROVIDERS": ",".join(SETTINGS),
        "STREAM_API_KEY": canaries.API_KEY,
        "STREAM_API_SECRET": canaries.API_SECRET,
        "STREAM_BASE_URL": upstream.url,
        "CHATSDK_JWT_SECRET": canaries.JWT_SECRET,
        "CHATSDK_BASE_URL": upstream.url,
        "CHATSDK_API_KEY": canaries.CHATSDK_KEY,
        "CENTRIFUGO_TOKEN_SECRET": canaries.CENTRIFUGO_SECRET,
        "PERFORMCHAT_JWT_SECRET": "performchat-jwt-secret-of-32-bytes-or-more",
        "PERFORMCHAT_BASE_URL": upstream.url,
        "PERFORMCHAT_KEY_ID": "id",
        "PERFORMCHAT_KEY_SECRET": "secret",
        "IMKIT_BASE_URL": upstream.url,
        "IMKIT_API_KEY": canaries.IMKIT_KEY,
        "IMKIT_CLIENT_KEY": canaries.IMKIT_CLIENT_KEY,
        "IMBACHAT_API_PASSWORD": "password",
        "IMBACHAT_SECRET_KEY": "imbachat-secret-key-of-32-bytes-or-more",
        "IMBACHAT_DEV_ID": "7",
        "IMBACHAT_BASE_URL": upstream.url,
        "KEY_SIGNING_SECRET": canaries.KEY_SIGNING_SECRET,
    }


@pytest.fixture(scope="module")
def started(
    environ: dict[str, str], output_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    """Make a sidecar with further settings by name."""
    made = iter(range(100))

    def start(**more: str) -> Sidecar:
        return Sidecar(output_folder / f"same-origin-{next(made)}.log", environ | more)

    return start


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with new_directory("sqlite", tmp_path_factory.mktemp("same-origin")) as url:
        yield url


@pytest.fixture(scope="module")
def running(started: Callable[..., Sidecar], database: str) -> Iterator[Sidecar]:
    with started(DATABASE_URL=database, STREAM_ROOT_PORT=str(free_port())) as sidecar:
        yield sidecar


@pytest.fixture(scope="module")
def served(environ: dict[str, str], database: str) -> list[tuple[str, str, str]]:
    """Every row of the routing table: blueprint, method and a path."""
    app = create_app(settings.load(SETTINGS, environ | {"DATABASE_URL": database}))
    app.extensions["chatproxy"].close()
    return sorted(
        {
            (rule.endpoint.partition(".")[0], method, re.sub("<[^>]+>", "x", rule.rule))
            for rule in app.url_map.iter_rules()
            for method in rule.methods or ()
        }
    )


def rows_of(database: str) -> list[str]:
    with sqlite3.connect(database.removeprefix("sqlite:///")) as connection:
        return list(connection.iterdump())


def bare_call(port: int, method: str, path: str, host: str, *lines: str) -> Reply:
    """A call that names a host, with a body that a page may send without asking first."""
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Content-Type: text/plain", *lines]
    body = b"" if method in ("GET", "HEAD", "OPTIONS") else b'{"userId": "x", "count": 1}'
    head += [f"Content-Length: {len(body)}"] if body else []
    return Reply(ask(port, ("\r\n".join(head) + "\r\n\r\n").encode() + body))


def says(reply: Reply, status: int, word: str) -> bool:
    """Whether it is our refusal, in any provider's dialect."""
    body = reply.raw.body.decode()
    return reply.status == status and (not body or (reply.json is not None and word in body))


@pytest.mark.parametrize("sent_as", ["form", "older browser", "image"])
def test_no_page_of_another_site_gets_anything_done(
    running: Sidecar,
    served: list[tuple[str, str, str]],
    upstream: StreamUpstream,
    database: str,
    sent_as: str,
) -> None:
    lines, before = FROM_ANOTHER_SITE[sent_as], rows_of(database)
    let_in = {
        (method, path)
        for blueprint, method, path in served
        if not says(
            bare_call(running.port, method, path, "localhost", *lines), 403, "TRUSTED_ORIGINS"
        )
        and blueprint not in FOR_PAGES
    }

    assert let_in == set()
    assert len(upstream.journal) == 0
    assert rows_of(database) == before


@pytest.mark.parametrize("lines", FROM_ANOTHER_SITE.values(), ids=FROM_ANOTHER_SITE)
def test_whatever_a_browser_says_of_another_site(
    running: Sidecar, upstream: StreamUpstream, lines: list[str]
) -> None:
    for method, path in CALLS:
        assert bare_call(running.port, method, path, "localhost", *lines).status == 403

    assert len(upstream.journal) == 0


@pytest.mark.parametrize("host", [EVIL, "10.0.0.1:3000"])
def test_a_name_that_was_led_here_reads_nothing(
    running: Sidecar,
    served: list[tuple[str, str, str]],
    upstream: StreamUpstream,
    database: str,
    host: str,
) -> None:
    """To its browser the page is then one of the sidecar's own."""
    before = rows_of(database)
    page = ("Sec-Fetch-Site: same-origin", f"Origin: http://{host}")
    let_in = {
        path
        for _, method, path in served
        if not says(bare_call(running.port, method, path, host, *page), 421, "ALLOWED_HOSTS")
    }

    assert let_in == {*BY_ANY_NAME, *RECEIVING}
    assert len(upstream.journal) == 0
    assert rows_of(database) == before


@pytest.mark.parametrize("path", BY_ANY_NAME)
def test_a_probe_names_the_pods_address(running: Sidecar, path: str) -> None:
    assert bare_call(running.port, "GET", path, "10.1.2.3:3000").status == 200


@pytest.fixture(scope="module")
def nameless(started: Callable[..., Sidecar], database: str) -> Iterator[Sidecar]:
    """A sidecar with a status door, and no name or origin that is let in beside its own."""
    with started(DATABASE_URL=database, STATUS_PORT=str(free_port()), ALLOWED_HOSTS="") as one:
        yield one


@pytest.fixture(scope="module")
def named(started: Callable[..., Sidecar], database: str) -> Iterator[Sidecar]:
    """A sidecar with a status door, some names and some origins."""
    settings = {
        "STATUS_PORT": str(free_port()),
        "ALLOWED_HOSTS": "chatproxy,Chat.Example,.wide.example,10.0.0.1,[2001:DB8::1]",
        "TRUSTED_ORIGINS": "https://a.example,https://app.example",
    }

    with started(DATABASE_URL=database, **settings) as one:
        yield one


@pytest.mark.parametrize("names", ["nameless", "named"])
def test_the_status_door_is_called_by_any_address(
    request: pytest.FixtureRequest, names: str
) -> None:
    one: Sidecar = request.getfixturevalue(names)
    port = int(one.environ["STATUS_PORT"])

    for path in (*PROBES, "/-/check-up", "/-/check-up/"):
        reply = bare_call(port, "GET", path, f"10.1.2.3:{port}")
        assert reply.json["name"] == "chatproxy", path

    assert bare_call(port, "GET", "/api-key", "10.1.2.3").status == 404
    assert bare_call(port, "GET", "/-/check-up", "10.1.2.3", "Origin: null").status == 403
    assert bare_call(one.port, "GET", "/api-key", "10.1.2.3").status == 421
    assert bare_call(one.port, "GET", "/-/check-up", "10.1.2.3").status == 421


@pytest.mark.parametrize("path", ["/", "/nowhere", "/-/", "/-/nowhere", "/%70roxy/x", "//proxy/x"])
def test_what_is_not_served_is_refused_alike(running: Sidecar, path: str) -> None:
    """Else a page that reads the answer could find out what is."""
    assert bare_call(running.port, "GET", path, EVIL).status == 421
    assert bare_call(running.port, "GET", path, "localhost", "Origin: null").status >= 400


@pytest.mark.parametrize("mount", PROXIES)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_nothing_of_a_page_is_forwarded(
    running: Sidecar, upstream: StreamUpstream, mount: str, method: str
) -> None:
    path = f"{mount}/users"
    form = bare_call(running.port, method, path, "localhost", f"Origin: https://{EVIL}")
    rebound = bare_call(running.port, method, path, EVIL)

    assert (form.status, rebound.status) == (403, 421)
    assert len(upstream.journal) == 0

    call(running.port, method, path, body={})
    assert len(upstream.journal) == 1


@pytest.mark.parametrize(
    "path", ["/admin/connection-count", "//admin/x", "/%61dmin/x", "/proxy;a/x"]
)
def test_what_is_for_platforms_among_what_is_for_pages(running: Sidecar, path: str) -> None:
    """The first of them is found by the row for clients' calls."""
    reply = bare_call(running.port, "GET", f"/imkit{path}", "localhost", f"Origin: https://{EVIL}")

    assert says(reply, 403, "TRUSTED_ORIGINS")


def test_the_second_listener_is_no_way_round(running: Sidecar, upstream: StreamUpstream) -> None:
    port = int(running.environ["STREAM_ROOT_PORT"])

    assert bare_call(port, "POST", "/users", EVIL).status == 421
    assert bare_call(port, "POST", "/users", "localhost", "Origin: null").status == 403
    assert len(upstream.journal) == 0


@pytest.mark.parametrize("lines", FROM_HERE.values(), ids=FROM_HERE)
def test_who_is_no_page_of_another_site_notices_nothing(running: Sidecar, lines: list[str]) -> None:
    for method, path in CALLS:
        assert bare_call(running.port, method, path, "localhost", *lines).status not in (403, 421)


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost:80", "http://localhost", 200),
        ("localhost:80", "http://localhost:80", 200),
        ("localhost:443", "https://localhost", 200),
        ("[::1]:80", "http://[::1]", 200),
        ("localhost:443", "http://localhost", 403),
        ("localhost:80", "https://localhost", 403),
        ("localhost:3000", "http://localhost", 403),
        ("localhost:8080", "http://localhost:80", 403),
    ],
)
def test_a_schemes_own_port_may_be_written_or_not(
    running: Sidecar, host: str, origin: str, status: int
) -> None:
    reply = bare_call(running.port, "GET", "/api-key", host, f"Origin: {origin}")

    assert reply.status == status


def test_a_page_by_another_name_of_loopback_is_its_own(running: Sidecar) -> None:
    host = f"app.localhost:{running.port}"
    own = [f"Origin: http://{host}", "Sec-Fetch-Site: same-origin"]

    assert bare_call(running.port, "GET", "/api-key", host, *own).status == 200


@pytest.mark.parametrize("host", LOOPBACK)
def test_names_of_loopback(running: Sidecar, host: str) -> None:
    assert bare_call(running.port, "GET", "/api-key", host).status == 200
    assert ask(running.port, get(f"http://{host}/api-key")).status == 200


@pytest.mark.parametrize("host", ELSEWHERE)
def test_other_names(running: Sidecar, host: str) -> None:
    assert bare_call(running.port, "GET", "/api-key", host).status == 421
    assert ask(running.port, get(f"http://{host}/api-key")).status == 421


def test_the_absolute_form_stands_in_place_of_host(running: Sidecar) -> None:
    reply = bare_call(
        running.port,
        "GET",
        f"http://localhost:{running.port}/api-key",
        EVIL,
        f"Origin: http://localhost:{running.port}",
    )

    assert reply.status == 200


def test_only_http_1_0_may_do_without(running: Sidecar) -> None:
    assert ask(running.port, b"GET /api-key HTTP/1.0\r\n\r\n").status == 200
    assert ask(running.port, b"GET /api-key HTTP/1.0\r\nHost: evil.example\r\n\r\n").status == 421
    assert ask(running.port, b"GET /api-key HTTP/1.0\r\nOrigin: null\r\n\r\n").status == 403
    assert ask(running.port, b"GET http://evil.example/api-key HTTP/1.0\r\n\r\n").status == 421


@pytest.mark.parametrize(("name", "message_in"), MESSAGES.items(), ids=MESSAGES)
def test_a_refusal_has_the_form_of_its_surface(
    running: Sidecar, name: str, message_in: Callable[[Any], str]
) -> None:
    path = f"/{name}/proxy/x"
    rebound = message_in(bare_call(running.port, "GET", path, EVIL).json)
    foreign = message_in(bare_call(running.port, "GET", path, "localhost", "Origin: null").json)

    assert "ALLOWED_HOSTS" in rebound
    assert EVIL not in rebound
    assert "TRUSTED_ORIGINS" in foreign


def test_an_upload_of_a_page_is_not_read(running: Sidecar, upstream: StreamUpstream) -> None:
    with connected(running.port) as sock:
        sock.sendall(post("/proxy/users", b"x", "Origin: null").replace(b": 1\r\n", b": 9999\r\n"))
        reply = answer_on(sock, "POST")

    assert (reply.status, reply.header("Connection")) == (403, "close")
    assert len(upstream.journal) == 0


def test_the_connection_serves_the_next_request(running: Sidecar) -> None:
    with connected(running.port) as sock:
        sock.sendall(get("/api-key", "Origin: null"))
        assert answer_on(sock).status == 403
        sock.sendall(get("/api-key"))
        assert answer_on(sock).status == 200


def test_origins_that_are_trusted(named: Sidecar) -> None:
    site, origin = "Sec-Fetch-Site: same-site", "Origin: https://app.example"
    asked = ("GET", "/config?clientType=web", "localhost")
    trusted = bare_call(named.port, *asked, site, origin)
    other = bare_call(named.port, *asked, site)
    longer = bare_call(named.port, *asked, f"{origin}:81")

    assert (trusted.status, other.status, longer.status) == (200, 403, 403)
    assert trusted.header("Access-Control-Allow-Origin") is None


def test_names_that_are_allowed(named: Sidecar) -> None:
    served = ["chatproxy:3000", "chat.example", "CHAT.EXAMPLE.", "wide.example", "a.b.wide.example"]
    served += ["10.0.0.1:80", "[2001:db8:0::1]:3000", "localhost"]
    others = [
        "x.chat.example",
        "xchat.example",
        "xwide.example",
        "wide.example.evil",
        "[2001:db8::2]",
    ]

    assert {bare_call(named.port, "GET", "/api-key", host).status for host in served} == {200}
    assert {bare_call(named.port, "GET", "/api-key", host).status for host in others} == {421}


@pytest.mark.parametrize(("names", "status"), [("chatproxy", 421), ("", 200)])
def test_beyond_loopback_names_count_where_there_are_some(
    started: Callable[..., Sidecar], database: str, names: str, status: int
) -> None:
    """Without them any is served, since nobody but the operator knows them; the start warns."""
    with started(DATABASE_URL=database, BIND_HOST="0.0.0.0", ALLOWED_HOSTS=names) as one:
        said = " ".join(line["msg"] for line in one.lines() if line["level"] == 40)

        assert bare_call(one.port, "GET", "/api-key", "chatproxy:3000").status == 200
        assert bare_call(one.port, "GET", "/api-key", "127.0.0.1:3000").status == 200
        assert bare_call(one.port, "GET", "/api-key", EVIL).status == status
        assert bare_call(one.port, "GET", "/api-key", EVIL, "Origin: null").status in (403, 421)

    assert ("ALLOWED_HOSTS" in said) == (not names)


@pytest.mark.parametrize("mount", PROXIES)
def test_a_forwarded_answer_is_inert_in_our_origin(running: Sidecar, mount: str) -> None:
    reply = call(running.port, "GET", f"{mount}/_sandbox/echo", body={})

    assert reply.header("Content-Security-Policy") == "sandbox; default-src 'none'"
    assert reply.header("X-Content-Type-Options") == "nosniff"


def test_the_widget_has_an_origin_of_its_own(running: Sidecar) -> None:
    reply = call(running.port, "GET", "/imbachat/widget/6?format=html")
    policy = reply.header("Content-Security-Policy") or ""
    sandbox, framing = (part.split() for part in policy.split(";"))

    assert sandbox[0] == "sandbox"
    assert "allow-scripts" in sandbox
    assert "allow-same-origin" not in sandbox
    assert "allow-top-navigation" not in sandbox
    assert framing == ["frame-ancestors", "'self'"]
    assert reply.header("X-Content-Type-Options") == "nosniff"


def test_no_answer_of_ours_is_taken_for_html(running: Sidecar, served: list[Any]) -> None:
    sniffed = {
        (method, path)
        for blueprint, method, path in served
        if blueprint != "imkit-socket"
        and call(running.port, method, path).header("X-Content-Type-Options") != "nosniff"
    }

    assert sniffed == set()
