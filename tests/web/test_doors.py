"""Each listener serves the routes of its door, and for the others it is as if they were not."""

import dataclasses
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Rule

from tests import canaries
from tests.badinput.canned import CannedUpstream
from tests.calls import Reply, call
from tests.directories import make_key
from tests.everything import environ_before, everything, recorder, rules_of
from tests.settings.loading import problems_of
from tests.sidecar import Sidecar, free_port
from tests.wire import answer_on, ask, get

DOORS = ("service", "client", "status")
PLACEHOLDER = re.compile(r"<[^>]+>")

#: What a chat client calls with a token of its own, and imbachat.com with its password.
CLIENTS = {
    "/api/<anything:path>",
    "/imbachat/api/v1",
    "/imbachat/api/v1/search/<anything:key>",
    "/imbachat/api/v1/users",
    "/imbachat/api/v1/users/<anything:ids>",
    "/imbachat/users",
    "/imbachat/users/<anything:ids>",
    "/imbachat/v1/getusers/<anything:ids>",
    "/imbachat/v1/searchusers/<anything:text>",
    "/imbachat/v1/user/friends/<anything:user_id>",
    "/imkit/socket.io",
    "/imkit/socket.io/<anything:path>",
    "/imkit/verify",
    "/rest/v1/auth/verify",
    "/api/auth/refresh",
    "/tokens/refresh",
    "/tokens/validate",
    "/tokens/validate-ws",
    "/ws",
    "/ws/<anything:path>",
}
#: Called by clients with a token, and by platforms with a key: a line for each.
SHARED = {"/imkit/<anything:path>", "/imkit/me", "/imkit/me/badge", "/webhook/stream"}
#: The names in an error's body, by surface.
SHAPES = {
    "stream": {"code", "message", "StatusCode", "duration", "more_info", "details"},
    "own": {"errorMsg"},
    "chatsdk": {"error"},
    "performchat": {"statusCode", "message", "error"},
    "imkit": {"RC", "RM", "error"},
    "imbachat": {"code", "version", "error", "debug"},
}
#: Where a route of this door takes what is a route of its own at another.
TAKEN = {("client", "GET", "/api/users/<anything:user_id>")}

APART = environ_before("http://127.0.0.1:1") | {"CLIENT_PORT": "3003", "STATUS_PORT": "3004"}
RULES = [rule for rule in rules_of(APART) if rule.rule not in SHARED]


@dataclasses.dataclass
class House:
    """A sidecar with three doors, and somebody with every credential."""

    sidecar: Sidecar
    ports: dict[str, int]
    platform: str
    client: str
    token: str
    jwt: str

    def call(self, door: str, method: str, path: str, *fields: str, body: Any = None) -> Reply:
        return call(self.ports[door], method, path, *fields, body=body)

    @property
    def as_platform(self) -> tuple[str, ...]:
        return f"IM-API-KEY: {self.platform}", f"X-API-Key: {self.platform}"

    @property
    def as_client(self) -> tuple[str, ...]:
        return f"IM-Client-Key: {self.client}", f"IM-Authorization: {self.token}"

    @property
    def with_all(self) -> tuple[str, ...]:
        bearer = f"Authorization: Bearer {self.jwt}"
        return (*self.as_platform, *self.as_client, "IM-CLIENT-ID: alice", "userid: alice", bearer)


@pytest.fixture(scope="module")
def house(
    provider: CannedUpstream, output_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    ports = {door: free_port() for door in DOORS}
    names = {"service": "HTTP_PORT", "client": "CLIENT_PORT", "status": "STATUS_PORT"}
    settings = {names[door]: str(port) for door, port in ports.items()}
    output, folder = output_folder / "house.log", tmp_path_factory.mktemp("house")

    # IMKit without a server: what it keeps is kept here.
    away = {"IMKIT_BASE_URL": "", "IMKIT_API_KEY": "", "IMKIT_CLIENT_KEY": ""}

    with everything(provider.url, output, folder, **settings, **away) as sidecar:
        key = make_key(sidecar.environ, "doors")["apiKey"]
        client = make_key(sidecar.environ, "app", "client")["clientKey"]
        body = {"_id": "alice", "issueAccessToken": True}
        made = call(
            ports["service"], "POST", "/imkit/admin/clients", f"IM-API-KEY: {key}", body=body
        )
        issued = call(
            ports["service"], "POST", "/tokens", f"X-API-Key: {key}", body={"userId": "alice"}
        )
        token, jwt = made.json["result"]["token"], issued.json["token"]
        yield House(sidecar, ports, key, client, token, jwt)


def door_of(rule: Rule) -> str:
    return str(rule.subdomain)


def path_of(rule: Rule) -> str:
    name = "page.js" if rule.endpoint.startswith("documentation") else "somebody"
    return PLACEHOLDER.sub(name, rule.rule)


def is_absent(reply: Reply) -> bool:
    """Say whether that is what a path answers behind which there is nothing."""
    return reply.status == 404 and b"Nothing is served at this path." in reply.raw.body


def test_each_rule_has_one_door() -> None:
    doors = {(method, rule.rule): set[str]() for rule in rules_of(APART) for method in rule.methods}

    for rule in rules_of(APART):
        for method in rule.methods or ():
            doors[method, rule.rule].add(door_of(rule))

    for (method, rule), found in doors.items():
        if rule in SHARED:
            expected = {"client"} if method == "OPTIONS" else {"client", "service"}
        elif rule.startswith("/-/"):
            expected = {"status"}
        elif rule in CLIENTS:
            expected = {"client"}
        else:
            expected = {"service"}

        assert found == expected, (method, rule)


def test_without_further_listeners_all_is_the_services() -> None:
    found = rules_of(environ_before("http://127.0.0.1:1"))

    assert {door_of(rule) for rule in found} == {"service"}
    assert {rule.rule for rule in found} == {rule.rule for rule in rules_of(APART)}


@pytest.mark.parametrize("rule", RULES, ids=[f"{rule.rule} {rule.endpoint}" for rule in RULES])
def test_a_route_is_at_its_door_and_at_no_other(
    house: House, provider: CannedUpstream, rule: Rule
) -> None:
    """Whoever has every credential finds it there only. Elsewhere nothing is read or forwarded."""
    # TRACE is a 405 on every path that clients could have below `/imkit`.
    for method in sorted((rule.methods or set()) - {"HEAD", "TRACE"}):
        for door in DOORS:
            if (door, method, rule.rule) in TAKEN:
                continue

            provider.requests.clear()
            fields = (*house.with_all, "Content-Length: 1000000")
            here = door == door_of(rule)
            found = house.call(door, method, path_of(rule), *(house.with_all if here else fields))

            if here and "/socket.io/<" in rule.rule:
                assert is_absent(found)
            elif here:
                assert not is_absent(found), (door, method, found.raw.body)
            elif door == "service" and method == "OPTIONS" and rule.rule.startswith("/imkit"):
                assert found.status == 405  # platforms have a place there, and pages have none
            else:
                assert is_absent(found), (door, method, found.status, found.raw.body)
                assert provider.requests == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    ("path", "surface"),
    [
        ("/proxy/app", "stream"),
        ("/stream/proxy/app", "stream"),
        ("/token/alice", "own"),
        ("/config", "own"),
        ("/-/ready", "own"),
        ("/-/healthz/", "own"),
        ("/tokens", "chatsdk"),
        ("/chatsdk/proxy/x", "chatsdk"),
        ("/rest/v1/agents", "performchat"),
        ("/performchat/proxy/x", "performchat"),
        ("/imkit/admin/clients", "imkit"),
        ("/imkit/admin/clients/alice/token", "imkit"),
        ("/imkit/admin/else", "imkit"),
        ("/imkit/badge", "imkit"),
        ("/imkit/badge/alice", "imkit"),
        ("/imkit/proxy/admin/clients", "imkit"),
        ("/imbachat/token/7", "imbachat"),
        ("/imbachat/widget/7", "imbachat"),
        ("/imbachat/proxy/x", "imbachat"),
    ],
)
def test_what_is_a_services_is_a_404_in_its_dialect(
    house: House, method: str, path: str, surface: str
) -> None:
    """No 405 and no 401 tells that it is there."""
    for door in ("client", "status"):
        if door == "status" and path.startswith("/-/"):
            continue

        reply = house.call(door, method, path)

        assert is_absent(reply)
        assert set(reply.json) == SHAPES[surface]


@pytest.mark.parametrize(
    "path",
    [
        "/imkit/Admin/clients",
        "/imkit//admin/clients",
        "/imkit/%61dmin/clients",
        "/imkit/admin;x/clients",
        "/imkit/admin%2fclients",
        "/imkit/%2561dmin/clients",
        "/imkit/PROXY/x",
        "/imkit//proxy/x",
        "/imkit/%70roxy/x",
        "/imkit/proxy%2fx",
        "/imkit/Badge",
        "/imkit//badge",
        "/imkit/%62adge/alice",
        "/imkit/badge%2falice",
        "/imkit/badge;x/alice",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_no_spelling_leads_to_what_is_a_services(house: House, method: str, path: str) -> None:
    assert is_absent(house.call("client", method, path, *house.with_all))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/users/ensure"),
        ("POST", "/api/users/Ensure"),
        ("POST", "/api/users//ensure/"),
        ("POST", "/api/users/alice/revoke-tokens"),
        ("DELETE", "/api/users/alice"),
        ("POST", "/api/server/x"),
        ("POST", "/api/auth/connect"),
        ("GET", "/api/admin/x"),
    ],
)
@pytest.mark.parametrize("has_all", [True, False])
def test_a_key_route_is_not_at_the_clients_door(
    house: House, provider: CannedUpstream, method: str, path: str, *, has_all: bool
) -> None:
    provider.requests.clear()

    assert is_absent(house.call("client", method, path, *(house.with_all if has_all else ())))
    assert provider.requests == []


def test_the_socket_tells_the_door_and_nothing_else_does(house: House) -> None:
    service = house.ports["service"]
    told = (
        f"X-Forwarded-Port: {service}",
        f"X-Forwarded-Host: 127.0.0.1:{service}",
        f"Forwarded: host=127.0.0.1:{service}",
        f"SERVER_PORT: {service}",
        f"Server-Port: {service}",
    )
    request = get("/token/alice", *told).replace(b"localhost", f"127.0.0.1:{service}".encode())
    absolute = get(f"http://127.0.0.1:{service}/token/alice")

    for door in ("client", "status"):
        assert ask(house.ports[door], request).status == 404
        assert ask(house.ports[door], absolute).status == 404

    assert ask(service, get("/token/alice")).status == 201


def test_a_kept_connection_stays_at_its_door(house: House) -> None:
    with socket.create_connection(("127.0.0.1", house.ports["client"]), timeout=20) as sock:
        for path, status in (("/imbachat/api/v1", 200), ("/token/alice", 404), ("/-/ready", 404)):
            sock.sendall(get(path))
            assert answer_on(sock).status == status


def test_no_header_makes_a_caller_anybody_at_the_clients_door(house: House) -> None:
    """The header of a gateway and the key of a platform are believed at the service's only."""
    config = "/config?clientType=web"
    about = (*house.as_platform, "IM-CLIENT-ID: alice")
    before = (f"API_KEY: {house.platform}", "IM-CLIENT-ID: alice")

    assert "authentication" in house.call("service", "GET", config, "userid: alice").json
    assert is_absent(house.call("client", "GET", config, "userid: alice"))
    assert house.call("service", "GET", "/imkit/me", *about).json["result"]["_id"] == "alice"

    for fields in (about, before):
        reply = house.call("client", "GET", "/imkit/me", *fields)
        assert (reply.status, reply.json["error"]["code"]) == (401, "MISSING_CLIENT_KEY")


def test_clients_and_platforms_each_have_their_own_door(house: House) -> None:
    at_client = house.call("client", "GET", "/imkit/me", *house.as_client)
    at_service = house.call("service", "GET", "/imkit/me", *house.as_client)

    assert (at_client.status, at_client.json["result"]["_id"]) == (200, "alice")
    assert (at_service.status, at_service.json["error"]["code"]) == (403, "PERMISSION_DENIED")
    assert house.call("client", "GET", "/imkit/me/badge", *house.as_client).status == 200
    assert house.call("service", "GET", "/imkit/me/badge", *house.as_client).status == 403


def test_a_users_profile_is_served_to_services_and_forwarded_for_clients(
    house: House, provider: CannedUpstream
) -> None:
    provider.requests.clear()
    bearer = f"Authorization: Bearer {house.jwt}"
    key = f"X-API-Key: {house.platform}"
    served = house.call("service", "GET", "/api/users/alice", key)
    without = house.call("service", "GET", "/api/users/alice", bearer)

    assert served.json["user"]["id"] == "alice"
    assert (without.status, without.json["error"]["message"]) == (401, "Missing API key")
    assert provider.requests == []

    assert house.call("client", "GET", "/api/users/alice", bearer, key).status == 200
    ((_, head),) = provider.requests
    assert head.startswith(b"GET /api/users/alice HTTP/1.1\r\n")
    assert head.lower().count(b"x-api-key: ") == 1
    assert canaries.CHATSDK_KEY.encode() in head


def test_an_upgrade_at_another_door_is_a_404(house: House) -> None:
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")

    for door, path in (("client", "/proxy/x"), ("status", "/ws"), ("service", "/imkit/socket.io/")):
        assert is_absent(house.call(door, "GET", path, *upgrade)), door


def test_probes_are_at_the_status_door(house: House) -> None:
    assert house.call("status", "GET", "/-/ready").json["status"] == "OK"
    assert house.call("status", "GET", "/-/healthz").json["status"] == "OK"
    assert house.call("service", "GET", "/-/ready").json == {
        "errorMsg": "Nothing is served at this path."
    }


def test_a_door_below_a_prefix_and_a_provider_at_a_root(
    output_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ports = {name: free_port() for name in ("HTTP_PORT", "CLIENT_PORT", "STREAM_ROOT_PORT")}
    settings = {name: str(port) for name, port in ports.items()} | {"SERVICE_PREFIX": "/chat"}
    output, folder = output_folder / "prefixed.log", tmp_path_factory.mktemp("prefixed")

    with recorder() as server, everything(server.url, output, folder, **settings):
        service, client, root = ports.values()

        assert ask(client, get("/chat/imbachat/api/v1")).status == 200
        assert ask(client, get("/imbachat/api/v1")).status == 404
        assert ask(client, get("/chat/proxy/x")).status == 404
        assert ask(client, get("/chat/api/users/ensure", method="POST")).status == 404
        assert ask(client, get("/chat/imkit/admin/x")).status == 404

        # No rule is compared with a path whose front is spelt in another way.
        for front in ("//chat", "/%63hat", "/ch%61t"):
            assert ask(client, get(f"{front}/api/admin/x")).status == 400
            assert ask(client, get(f"{front}/imkit/admin/x")).status == 400

        assert ask(service, get("/chat/imbachat/api/v1")).status == 404
        assert ask(service, get("/-/healthz")).status == 200
        assert server.requests == []
        assert ask(root, get("/chat/proxy/x")).status == 200
        assert [head.split(b"?")[0] for _, head in server.requests] == [b"GET /chat/proxy/x"]


def test_a_unix_socket_is_the_services_door_whatever_host_is_named(
    output_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """gunicorn may be told to listen at one, and knows no port there but that in `Host`."""
    folder = tmp_path_factory.mktemp("unix")
    port, client, path = free_port(), free_port(), folder / "s"
    settings = {
        "HTTP_PORT": str(port),
        "CLIENT_PORT": str(client),
        "GUNICORN_CMD_ARGS": f"--bind unix:{path} --bind 127.0.0.1:{port}",
    }

    with (
        everything("http://127.0.0.1:1", output_folder / "unix.log", folder, **settings),
        socket.socket(socket.AF_UNIX) as sock,
    ):
        sock.settimeout(20)
        sock.connect(str(path))

        for host in ("localhost", f"localhost:{client}"):
            sock.sendall(get("/token/alice").replace(b"localhost", host.encode()))
            assert answer_on(sock).status == 201


@pytest.fixture(scope="module")
def addressed(
    output_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The settings of a sidecar whose doors have addresses of their own."""
    doors = {
        **{"CLIENT_PORT": str(free_port()), "CLIENT_HOST": "127.0.0.2"},
        **{"STATUS_PORT": str(free_port()), "STATUS_HOST": "127.0.0.3"},
    }
    output, folder = output_folder / "hosts.log", tmp_path_factory.mktemp("hosts")

    with everything("http://127.0.0.1:1", output, folder, **doors):
        yield doors


@pytest.mark.parametrize(
    ("name", "path"), [("CLIENT", "/imbachat/api/v1"), ("STATUS", "/-/healthz")]
)
def test_a_door_has_an_address_of_its_own(name: str, path: str, addressed: dict[str, str]) -> None:
    host, port = addressed[f"{name}_HOST"], int(addressed[f"{name}_PORT"])

    with socket.create_connection((host, port), timeout=20) as sock:
        sock.sendall(get(path))
        assert answer_on(sock).status == 200

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_names_are_held_to_the_address_of_their_door(
    output_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Beyond loopback a client door is called by names that nobody has listed."""
    port, client = free_port(), free_port()
    beyond = {"CLIENT_PORT": str(client), "CLIENT_HOST": "0.0.0.0"}  # noqa: S104
    output, folder = output_folder / "names.log", tmp_path_factory.mktemp("names")
    path = {port: "/token/alice", client: "/imbachat/api/v1"}

    with everything("http://127.0.0.1:1", output, folder, HTTP_PORT=str(port), **beyond):
        for one, status in ((port, 421), (client, 200)):
            named = get(path[one]).replace(b"localhost", b"chat.example")
            assert ask(one, named).status == status


def test_a_client_door_beyond_loopback_makes_no_secrets_up(tmp_path: Path) -> None:
    environ = {"PROVIDERS": "chatsdk", "DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}
    found = problems_of(**environ, CLIENT_PORT="3003", CLIENT_HOST="0.0.0.0")  # noqa: S104

    assert [one.partition(":")[0] for one in found] == [
        *("KEY_SIGNING_SECRET", "CHATSDK_JWT_SECRET", "CENTRIFUGO_TOKEN_SECRET")
    ]
