"""IMKit at the root of the client door, where an SDK with one domain looks for it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatproxy.providers import SETTINGS
from chatproxy.providers.registry import make_providers
from chatproxy.routes import written_document
from chatproxy.services import open_services
from chatproxy.settings.documented import load_for_document
from tests.calls import Reply, call
from tests.canaries import CENTRIFUGO_SECRET, CHATSDK_KEY, IMKIT_CLIENT_KEY, JWT_SECRET
from tests.providers.imkit.conftest import Site, before_it
from tests.settings.loading import problems_of
from tests.sidecar import free_port
from tests.upstream import IMKitUpstream

ORIGIN = "https://app.example"


@pytest.fixture(scope="module")
def site(server: IMKitUpstream, imkit_before: Callable[..., Any]) -> Iterator[Site]:
    """A sidecar with ChatSDK on as well, which has paths of its own at that door."""
    others = {
        "PROVIDERS": "imkit,chatsdk",
        "CHATSDK_BASE_URL": server.url,
        "CHATSDK_API_KEY": CHATSDK_KEY,
        "CHATSDK_JWT_SECRET": JWT_SECRET,
        "CENTRIFUGO_TOKEN_SECRET": CENTRIFUGO_SECRET,
    }
    root = {
        "IMKIT_ROOT": "true",
        "CLIENT_PORT": str(free_port()),
        "IMKIT_ALLOWED_ORIGINS": ORIGIN,
    }

    with imkit_before(**before_it(server.url), **root, **others) as made:
        yield made


@pytest.fixture(scope="module")
def alice(site: Site) -> tuple[str, ...]:
    """What she sends."""
    return f"IM-Client-Key: {site.client_key}", f"IM-Authorization: {site.token('alice')}"


def at_door(site: Site, method: str, path: str, *fields: str, body: Any = None) -> Reply:
    return call(int(site.sidecar.environ["CLIENT_PORT"]), method, path, *fields, body=body)


@pytest.mark.parametrize("front", ["", "/imkit"])
def test_the_surface_is_there_twice(
    site: Site, server: IMKitUpstream, alice: tuple[str, ...], front: str
) -> None:
    me = at_door(site, "GET", f"{front}/me", *alice)
    rooms = at_door(site, "GET", f"{front}/rooms?limit=2&x=%2F", *alice)
    token = alice[1].partition(": ")[2]
    verified = at_door(site, "POST", f"{front}/verify", body={"token": token})

    assert (me.status, me.json["result"]["_id"]) == (200, "alice")
    assert (rooms.status, rooms.json["RC"]) == (200, 0)
    assert (verified.status, verified.json["id"]) == (200, "alice")
    (arrived,) = server.journal
    assert arrived.target == "/rooms?limit=2&x=%2F"
    assert arrived.values("im-client-key") == [IMKIT_CLIENT_KEY]


def test_its_guards_are_the_same(site: Site, server: IMKitUpstream, alice: tuple[str, ...]) -> None:
    key = f"IM-API-KEY: {site.api_key}"

    assert at_door(site, "GET", "/rooms").json["error"]["code"] == "MISSING_CLIENT_KEY"
    assert at_door(site, "GET", "/", key).status == 401
    assert at_door(site, "GET", "/socket.io/").json["error"]["code"] == "INVALID_REQUEST"

    for path in ("/admin/clients", "/proxy/admin/clients", "/badge", "/%61dmin/clients", "//admin"):
        assert at_door(site, "GET", path, key, *alice).status == 404, path

    for path in ("/..%2fadmin", "/x/%2e%2e/admin"):
        assert at_door(site, "GET", path, key, *alice).status == 400, path

    assert list(server.journal) == []


def test_the_other_door_has_no_root(site: Site, alice: tuple[str, ...]) -> None:
    assert call(site.sidecar.port, "GET", "/me", *alice).json == {
        "errorMsg": "Nothing is served at this path."
    }


@pytest.mark.parametrize("path", ["/api/channels", "/api", "/%61pi/channels", "/tokens/validate"])
def test_another_providers_paths_stay_its_own(
    site: Site, alice: tuple[str, ...], path: str
) -> None:
    """Also in another spelling, and also where that provider has nothing."""
    assert "RC" not in at_door(site, "GET", path, *alice).json


def test_pages_may_call_it_there(site: Site, alice: tuple[str, ...]) -> None:
    page = f"Origin: {ORIGIN}"
    asked = at_door(site, "OPTIONS", "/rooms", page, "Access-Control-Request-Method: GET")
    answer = at_door(site, "GET", "/rooms", page, *alice)

    assert asked.status == 204
    assert "IM-Client-Key" in str(asked.header("Access-Control-Allow-Headers"))
    assert answer.header("Access-Control-Allow-Origin") == ORIGIN


@pytest.mark.parametrize("front", ["", "/imkit"])
def test_a_redirect_leads_back_to_where_it_came_from(
    site: Site, server: IMKitUpstream, alice: tuple[str, ...], front: str
) -> None:
    fault = f"X-Sandbox-Fault: redirect={server.url}/rooms/r"
    answer = at_door(site, "GET", f"{front}/rooms", *alice, fault)

    assert (answer.status, answer.header("Location")) == (302, f"{front}/rooms/r")


def test_it_needs_the_door() -> None:
    (problem,) = problems_of(PROVIDERS="imkit", KEY_SIGNING_SECRET="x" * 32, IMKIT_ROOT="true")

    assert problem == (
        "IMKIT_ROOT: is the root of the client door, which is off. Set CLIENT_PORT as well."
    )


@pytest.mark.parametrize("text", ["yes", "1", "TRUE", "/"])
def test_only_two_words_are_known(text: str) -> None:
    found = problems_of(
        PROVIDERS="imkit", KEY_SIGNING_SECRET="x" * 32, CLIENT_PORT="3001", IMKIT_ROOT=text
    )

    assert [one.partition(":")[0] for one in found] == ["IMKIT_ROOT"]


@pytest.mark.parametrize("prefix", ["", "/chat"])
def test_the_document_has_both(prefix: str) -> None:
    environ = {"PROVIDERS": "imkit,chatsdk", "SERVICE_PREFIX": prefix, "CLIENT_PORT": "3003"}
    found = load_for_document(SETTINGS, environ | {"IMKIT_ROOT": "true"})
    document = json.loads(written_document(open_services(found, make_providers(found))))
    paths = document["paths"]
    at_root = {path for path in paths if not path.startswith((f"{prefix}/imkit", "/-"))} & {
        path for path, methods in paths.items() if next(iter(methods.values()))["tags"] == ["IMKit"]
    }

    assert at_root == {"/me", "/me/badge", "/verify", "/socket.io", "/socket.io/{path}", "/{path}"}
    assert paths["/me"]["get"]["x-doors"] == ["client"]
    assert paths[f"{prefix}/imkit/me"]["get"]["x-doors"] == ["client", "service"]
    assert paths[f"{prefix}/api/{{path}}"]["get"]["tags"] == ["ChatSDK"]


def test_a_tunnel_needs_a_server() -> None:
    (problem,) = problems_of(PROVIDERS="imkit", KEY_SIGNING_SECRET="x" * 32, IMKIT_SOCKET="relay")

    assert problem == "IMKIT_SOCKET: relay leads to the IMKit server. Set IMKIT_BASE_URL as well."
