"""Which pages of other origins may make a client's calls."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from tests import canaries
from tests.calls import Reply
from tests.canaries import IMKIT_CLIENT_KEY, IMKIT_KEY
from tests.providers.imkit.conftest import Site
from tests.upstream import IMKitUpstream

ORIGIN = "https://app.example"
PAGE = f"Origin: {ORIGIN}"
OTHERS = [
    "https://evil.example",
    "https://app.example.evil.example",
    "https://app.example:8443",
    "http://app.example",
    "https://APP.example",
    "https://app.example/",
    f"{ORIGIN},{ORIGIN}",
    "null",
    "*",
    "",
]
IM_FIELDS = {
    *("IM-API-KEY", "IM-Client-Key", "IM-Authorization", "IM-Device-ID", "IM-CLIENT-ID"),
    *("API_KEY", "CLIENT_KEY", "Authorization", "Content-Type"),
}
FOR_CLIENTS = ["/me", "/me/badge", "/rooms", "/rooms/r/messages/v3"]
FOR_SERVERS = [
    ("GET", "/admin/clients"),
    ("POST", "/proxy/admin/clients"),
    ("POST", "/admin/clients"),
    ("POST", "/admin/clients/list"),
    ("PUT", "/admin/clients/a/token"),
    ("DELETE", "/admin/clients/a/token"),
    ("POST", "/verify"),
    ("GET", "/badge"),
    ("POST", "/badge"),
]
NOT_FOR_PAGES = sorted({path for _, path in FOR_SERVERS})


@pytest.fixture(scope="session")
def server() -> Iterator[IMKitUpstream]:
    with IMKitUpstream(IMKIT_KEY, IMKIT_CLIENT_KEY) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def open_to_pages(imkit_before: Callable[..., Any], server: IMKitUpstream) -> Iterator[Site]:
    """A site before a server, which some pages may ask."""
    with imkit_before(
        IMKIT_ALLOWED_ORIGINS=f"{ORIGIN},https://second.example",
        IMKIT_BASE_URL=server.url,
        IMKIT_API_KEY=IMKIT_KEY,
        IMKIT_CLIENT_KEY=IMKIT_CLIENT_KEY,
    ) as site:
        yield site


@pytest.fixture(scope="session")
def token(open_to_pages: Site) -> str:
    return open_to_pages.token("page")


def preflight(site: Site, path: str, origin: str = ORIGIN) -> Reply:
    asked = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: im-client-key")
    return site.bare("OPTIONS", path, f"Origin: {origin}", *asked)


def said_to_pages(reply: Reply) -> dict[str, str]:
    """What an answer says of pages, by the last words of each field."""
    start = "access-control-"
    found = [(name.lower(), value) for name, value in reply.raw.fields]
    return {name.removeprefix(start): value for name, value in found if name.startswith(start)}


@pytest.mark.parametrize("path", FOR_CLIENTS)
def test_a_page_may_send_every_field_of_a_client(open_to_pages: Site, path: str) -> None:
    reply = preflight(open_to_pages, path)
    said = said_to_pages(reply)

    assert (reply.status, reply.raw.body) == (204, b"")
    assert said["allow-origin"] == ORIGIN
    assert set(said["allow-headers"].split(", ")) >= IM_FIELDS
    assert {"GET", "POST", "DELETE"} <= set(said["allow-methods"].split(", "))
    assert said["max-age"] == "600"
    assert "allow-credentials" not in said
    assert reply.header("Vary") == "Origin"


def test_each_of_the_origins_is_allowed(open_to_pages: Site) -> None:
    said = said_to_pages(preflight(open_to_pages, "/me", "https://second.example"))

    assert said["allow-origin"] == "https://second.example"


@pytest.mark.parametrize("origin", OTHERS)
def test_another_origin_is_refused(open_to_pages: Site, token: str, origin: str) -> None:
    asked = preflight(open_to_pages, "/me", origin)
    answer = open_to_pages.acting(token, "GET", "/me", f"Origin: {origin}")

    assert (asked.status, said_to_pages(asked)) == (405, {})
    assert (answer.status, said_to_pages(answer)) == (200, {})
    assert answer.header("Vary") == "Origin"


@pytest.mark.parametrize("path", [*NOT_FOR_PAGES, "/admin", "/admin/connection-count", "//admin/x"])
def test_what_is_for_servers_may_be_called_by_no_page(open_to_pages: Site, path: str) -> None:
    """A browser goes on only where the status is one of success."""
    reply = preflight(open_to_pages, path)

    assert reply.status in (403, 405)
    assert not {"allow-methods", "allow-headers"} & said_to_pages(reply).keys()


@pytest.mark.parametrize(("method", "path"), [*FOR_SERVERS, ("GET", "/admin/connection-count")])
def test_no_page_reads_an_answer_for_servers(open_to_pages: Site, method: str, path: str) -> None:
    assert said_to_pages(open_to_pages.bare(method, path, PAGE, body={})) == {}
    assert said_to_pages(open_to_pages.ask(method, path, PAGE, body={})) == {}


@pytest.mark.parametrize("path", ["/me", "/rooms"])
def test_an_answer_may_be_read_by_the_page(open_to_pages: Site, token: str, path: str) -> None:
    """The second one is the server's."""
    reply = open_to_pages.acting(token, "GET", path, PAGE, "IM-CLIENT-ID: page")
    said = said_to_pages(reply)

    assert (reply.status, said["allow-origin"]) == (200, ORIGIN)
    assert {"Retry-After", "X-Request-Id"} <= set(said["expose-headers"].split(", "))
    assert reply.header("Vary") == "Origin"


@pytest.mark.parametrize("path", FOR_CLIENTS)
@pytest.mark.parametrize(
    ("fields", "status"),
    [((), 401), (("IM-Client-Key: junk",), 403), (("IM-API-KEY: a", "API_KEY: b"), 400)],
    ids=["401", "403", "400"],
)
def test_a_refusal_may_be_read_too(
    open_to_pages: Site, path: str, fields: tuple[str, ...], status: int
) -> None:
    """Else a page could not tell an expired token from a network that is down."""
    reply = open_to_pages.bare("GET", path, PAGE, *fields)

    assert (reply.status, said_to_pages(reply)["allow-origin"]) == (status, ORIGIN)


def test_the_servers_own_refusal_may_be_read_too(open_to_pages: Site, token: str) -> None:
    reply = open_to_pages.acting(token, "GET", "/rooms/nowhere", PAGE)

    assert reply.json["error"]["code"] == "ROOM_NOT_FOUND"
    assert said_to_pages(reply)["allow-origin"] == ORIGIN


def test_who_is_no_page_is_told_nothing_of_pages(open_to_pages: Site, token: str) -> None:
    reply = open_to_pages.acting(token, "GET", "/me")

    assert said_to_pages(reply) == {}
    assert reply.header("Vary") == "Origin", "a cache must not give this answer to a page"


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
def test_every_origin_may_be_allowed(tmp_path: Path, method: str) -> None:
    given = {
        "PROVIDERS": "imkit",
        "IMKIT_ALLOWED_ORIGINS": "*",
        "KEY_SIGNING_SECRET": canaries.KEY_SIGNING_SECRET,
        "DATABASE_URL": f"sqlite:///{tmp_path}/directory.db",
    }
    page = create_app(settings.load(SETTINGS, given)).test_client()
    reply = page.open("/imkit/me", method=method, headers={"Origin": ORIGIN})

    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert reply.headers.get_all("Vary") == ["Origin"]


@pytest.mark.parametrize("path", FOR_CLIENTS)
def test_without_the_setting_no_page_may_call(site: Site, path: str) -> None:
    asked = preflight(site, path)

    assert (asked.status, said_to_pages(asked)) == (405, {})


@pytest.mark.parametrize("path", [*FOR_CLIENTS, *NOT_FOR_PAGES])
def test_without_the_setting_no_answer_speaks_of_pages(site: Site, path: str) -> None:
    for reply in (site.ask("GET", path, PAGE), preflight(site, path)):
        assert (said_to_pages(reply), reply.header("Vary")) == ({}, None)
