"""The numbered list of the vendor's page on authorisation, step by step, over real sockets."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.calls import call
from tests.canaries import BOUND_TOKEN, IMKIT_CLIENT_KEY, IMKIT_KEY
from tests.databases import KINDS
from tests.providers.imkit.conftest import Site, before_it, moment
from tests.providers.imkit.refusals import refusal
from tests.providers.imkit.test_socket_clients import client
from tests.sidecar import bare_environ
from tests.test_sdks import needs_node_sdks, run
from tests.upstream import IMKitUpstream


@pytest.fixture(scope="module", params=KINDS)
def both(
    request: pytest.FixtureRequest, imkit_before: Callable[..., Any]
) -> Iterator[tuple[IMKitUpstream, Site]]:
    """A server and a site before it."""
    with (
        IMKitUpstream(IMKIT_KEY, IMKIT_CLIENT_KEY) as server,
        imkit_before(request.param, **before_it(server.url)) as site,
    ):
        yield server, site


@pytest.fixture
def fresh(both: tuple[IMKitUpstream, Site]) -> tuple[IMKitUpstream, Site]:
    """They are as before the first test: the server knows no token."""
    both[0].tokens.clear()
    return both


def test_the_client_auth_flow(fresh: tuple[IMKitUpstream, Site]) -> None:
    server, site = fresh

    # 1, 2. The client signs in at the customer's service, which makes up a token.
    token = f"{BOUND_TOKEN}-{secrets.token_hex(8)}"

    # 3. The service calls create-or-update-user with the token and the client's id.
    body = {"_id": "alice", "nickname": "Alice", "token": token}
    made = site.ask("POST", "/admin/clients", body=body | {"expirationDate": moment(hours=1)})
    assert (made.status, made.json["RC"]) == (200, 0)

    # The client uses the token to request IMKit's APIs, with today's headers and the old.
    old = (f"CLIENT_KEY: {site.client_key}", f"Authorization: {token}")
    assert site.acting(token, "GET", "/rooms").json["RC"] == 0
    assert site.bare("GET", "/rooms", *old).json["RC"] == 0
    assert site.acting(token, "GET", "/me").json["result"]["nickname"] == "Alice"

    # The client emits `auth` with the token after the connection is established.
    with client(site) as socket:
        answer = socket.call("auth", token)
        assert (answer["RC"], answer["result"]["client"]["_id"]) == (0, "alice")

        # The service ends the token: nothing of it is left anywhere.
        assert site.unbind("alice").json["result"]["revokedTokens"] == 1
        assert socket.reasons.get(timeout=2) == "server disconnect"

    assert refusal(site.acting(token, "GET", "/rooms")) == (401, 401, "INVALID_TOKEN")
    assert server.tokens == {}


@needs_node_sdks
@pytest.mark.node
def test_the_client_auth_flow_with_the_javascript_client(
    fresh: tuple[IMKitUpstream, Site],
) -> None:
    server, site = fresh
    token, other = (f"{BOUND_TOKEN}-{secrets.token_hex(8)}" for _ in range(2))
    end = moment(hours=1)
    site.put("node", nickname="Zoë 🙂", token=token, expirationDate=end)
    site.bind("node", other)
    report = run(
        "imkit_socket.mjs",
        bare_environ()
        | {"IMKIT_URL": f"{site.sidecar.url}/imkit", "IMKIT_API_KEY": site.api_key}
        | {"TOKEN": token, "OTHER_TOKEN": other},
    )

    assert {"auth", "revoked"} <= set(report["calls"])
    assert site.acting(token, "GET", "/rooms").status == 200
    assert list(server.tokens) == [token]


def test_an_imkit_server_asks_whose_token_it_is(site: Site) -> None:
    """The third way of the vendor's diagrams: the server knows no token, and asks for each."""
    site.put("asked", nickname="Bob", avatarUrl="https://x.example/b.png", token="of-asked")
    reply = call(site.sidecar.port, "POST", "/imkit/verify", body={"token": "of-asked"})

    assert reply.json == {
        "id": "asked",
        "nickname": "Bob",
        "avatarUrl": "https://x.example/b.png",
    }
