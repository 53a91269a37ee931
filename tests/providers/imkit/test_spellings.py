"""However a path is spelt, a client gets no further than its own part of `/imkit`."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatproxy.web.relay import METHODS
from tests.calls import call
from tests.providers.chatsdk.test_keyroutes import SPELLINGS
from tests.providers.imkit.conftest import Site, before_it
from tests.sidecar import free_port
from tests.upstream import IMKitUpstream

PLACES = {
    "admin": ["admin", "clients"],
    "admin, deeper": ["admin", "clients", "alice", "token"],
    "proxy": ["proxy", "rooms"],
    "badge": ["badge", "alice"],
}


@pytest.fixture(scope="module", params=["one door", "client door"])
def behind(
    server: IMKitUpstream, request: pytest.FixtureRequest, imkit_before: Callable[..., Any]
) -> Iterator[tuple[Site, int]]:
    port = free_port()
    apart = {"CLIENT_PORT": str(port)} if request.param == "client door" else {}

    with imkit_before(**before_it(server.url), **apart) as site:
        yield site, port if apart else site.sidecar.port


@pytest.fixture(scope="module")
def fields(behind: tuple[Site, int]) -> tuple[str, ...]:
    site, _ = behind
    token = site.token("mallory")
    return f"IM-Client-Key: {site.client_key}", f"IM-Authorization: {token}"


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("name", PLACES)
def test_no_spelling_is_forwarded_for_a_client(
    behind: tuple[Site, int],
    fields: tuple[str, ...],
    server: IMKitUpstream,
    name: str,
    spelling: Callable[[list[str]], str],
) -> None:
    site, port = behind
    path = f"/imkit/{spelling(PLACES[name])}"
    at_one_door = port == site.sidecar.port

    # Without a door for clients these two are open to whoever reaches the port.
    if at_one_door and name in ("badge", "proxy"):
        return

    for method in METHODS:
        reply = call(port, method, path, *fields)

        assert reply.status in (400, 401, 403, 404), (method, path, reply.raw.body)
        assert [one.target for one in server.journal] == [], (method, path)


@pytest.mark.parametrize("mount", ["//imkit", "/%69mkit", "/imki%74", "/imkit%2f", "/%2569mkit"])
@pytest.mark.parametrize("path", ["admin/x", "proxy/x", "badgers/x", "rooms"])
def test_the_place_itself_is_spelt_one_way(
    behind: tuple[Site, int], server: IMKitUpstream, mount: str, path: str
) -> None:
    """Nobody is asked for a credential by a rule that was compared with the wrong part of it."""
    reply = call(behind[1], "POST", f"{mount}/{path}")
    of_a_page = call(behind[1], "POST", f"{mount}/{path}", "Origin: https://evil.example")

    assert reply.status in (400, 404), reply.raw.body
    assert of_a_page.status in (400, 403, 404), of_a_page.raw.body
    assert [one.target for one in server.journal] == []


@pytest.mark.parametrize(
    "path",
    ["/rooms", "/rooms/badge", "/administrators", "/auths/token", "/me/admin", "/rooms/a%2fb"],
)
def test_what_clients_call_stays_open(
    behind: tuple[Site, int], fields: tuple[str, ...], server: IMKitUpstream, path: str
) -> None:
    call(behind[1], "GET", f"/imkit{path}", *fields)

    assert [one.target for one in server.journal] == [path]
