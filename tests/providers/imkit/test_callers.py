"""Who is let in below `/imkit`: by which fields, and what is said to the others."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import canaries
from tests.calls import Reply
from tests.providers.chatsdk.conftest import TOKEN_SECRETS
from tests.providers.imkit.conftest import Site
from tests.providers.imkit.refusals import refusal, refused_with
from tests.sidecar import Sidecar
from tests.upstream import ChatSDKUpstream, StreamUpstream
from tests.wire import ask, get

BY_NEW_NAMES = ("IM-Client-Key: {client_key}", "IM-Authorization: {token}")
ALLOWED = 3
S3 = (
    "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20300131/eu-west-1/s3/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=0011"
)
DEPRECATED = "a caller uses a deprecated header"


@dataclasses.dataclass
class Door:
    """A site, and everything that somebody at its door may show, by name."""

    site: Site
    shown: dict[str, str]

    def call(self, method: str, path: str, *fields: str, body: Any = None) -> Reply:
        """Call with fields that name what they hold."""
        filled = [field.format(**self.shown) for field in fields]
        return self.site.bare(method, path, *filled, body=body)

    def as_platform(self, *fields: str) -> Reply:
        return self.call("GET", "/admin/clients", *fields)

    def as_client(self, *fields: str) -> Reply:
        return self.call("GET", "/me", *fields)


def run_all(site: Site, *commands: str) -> list[Any]:
    """Run commands; return what they print."""
    return [site.run(*command.split()) for command in commands]


def useless_keys(site: Site) -> dict[str, str]:
    """Keys that open nothing here: another app's, one that ended, one that was called back."""
    ended, revoked, _ = run_all(
        site,
        "keys create ended --expires 1s",
        "keys create revoked --kind client",
        "apps create other --id other",
    )
    end = time.monotonic() + 1.1
    foreign, public, _ = run_all(
        site,
        "keys create foreign --app other",
        "keys create foreign --app other --kind client",
        f"keys revoke {revoked['clientKey'].partition('.')[0]}",
    )
    time.sleep(max(0, end - time.monotonic()))
    return {
        "foreign_api_key": foreign["apiKey"],
        "foreign_client_key": public["clientKey"],
        "ended_api_key": ended["apiKey"],
        "revoked_client_key": revoked["clientKey"],
    }


@pytest.fixture(scope="session")
def door(imkit_before: Callable[..., Any]) -> Iterator[Door]:
    with imkit_before() as site:
        shown = {"api_key": site.api_key, "client_key": site.client_key, "s3": S3}
        shown |= {"token": site.token("caller"), "other_token": site.token("other")}
        yield Door(site, shown | useless_keys(site))


@pytest.mark.parametrize(
    "fields",
    [
        ("IM-API-KEY: {api_key}",),
        ("im-api-key: {api_key}",),
        ("API_KEY: {api_key}",),
        ("api_key: {api_key}",),
        ("IM-API-KEY: {api_key}", "API_KEY: {api_key}"),
        ("IM-API-KEY: {api_key}", "Authorization: {s3}"),
        ("IM-API-KEY: {api_key}", "IM-Client-Key: junk", "IM-Authorization: junk"),
    ],
    ids=" + ".join,
)
def test_a_platform_is_let_in_by_its_key(door: Door, fields: tuple[str, ...]) -> None:
    assert door.as_platform(*fields).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        BY_NEW_NAMES,
        ("IM-CLIENT-KEY: {client_key}", "im-authorization: {token}"),
        ("CLIENT_KEY: {client_key}", "Authorization: {token}"),
        ("client_key: {client_key}", "authorization: {token}"),
        ("CLIENT_KEY: {client_key}", "IM-Authorization: {token}"),
        ("IM-Client-Key: {client_key}", "Authorization: {token}"),
        (*BY_NEW_NAMES, "CLIENT_KEY: {client_key}", "Authorization: {token}"),
    ],
    ids=" + ".join,
)
def test_a_client_is_let_in_by_key_and_token(door: Door, fields: tuple[str, ...]) -> None:
    assert door.as_client(*fields).json["result"]["_id"] == "caller"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "bEaReR  "])
@pytest.mark.parametrize("name", ["IM-Authorization", "Authorization"])
def test_a_token_may_stand_behind_bearer(door: Door, name: str, scheme: str) -> None:
    reply = door.as_client("IM-Client-Key: {client_key}", f"{name}: {scheme}{{token}}")

    assert reply.json["result"]["_id"] == "caller"


@pytest.mark.parametrize(
    "value", ["{s3}", "Basic YTpi", "Bearer junk", "junk,junk", "{other_token}", ""]
)
def test_beside_im_authorization_the_other_field_is_somebody_elses(door: Door, value: str) -> None:
    """An upload to S3 is signed there, by whoever the pictures belong to."""
    reply = door.as_client(*BY_NEW_NAMES, f"Authorization: {value}")

    assert reply.json["result"]["_id"] == "caller"


NO_PLATFORM = {
    (): (401, "MISSING_API_KEY"),
    ("IM-API-KEY:",): (401, "MISSING_API_KEY"),
    ("API_KEY:",): (401, "MISSING_API_KEY"),
    ("IM-API-KEY: junk",): (401, "INVALID_API_KEY"),
    ("API_KEY: junk",): (401, "INVALID_API_KEY"),
    ("IM-API-KEY: Bearer {api_key}",): (401, "INVALID_API_KEY"),
    ("IM-API-KEY: {api_key}", "IM-API-KEY: {api_key}"): (401, "INVALID_API_KEY"),
    ("IM-API-KEY: {api_key}", "IM-API-KEY: junk"): (401, "INVALID_API_KEY"),
    ("API_KEY: {api_key}", "API_KEY: {api_key}"): (401, "INVALID_API_KEY"),
    ("API_KEY: {api_key}", "API-KEY: junk"): (401, "INVALID_API_KEY"),
    ("IM-API-KEY: {api_key}", "API_KEY: junk"): (400, "INVALID_REQUEST"),
    ("IM-API-KEY: junk", "API_KEY: {api_key}"): (400, "INVALID_REQUEST"),
    ("IM-API-KEY:", "API_KEY: {api_key}"): (400, "INVALID_REQUEST"),
    ("IM-API-KEY: {api_key}", "API_KEY:"): (400, "INVALID_REQUEST"),
    ("IM-API-KEY: {client_key}",): (401, "INVALID_API_KEY"),
    ("IM-API-KEY: {foreign_api_key}",): (401, "INVALID_API_KEY"),
    ("API_KEY: {foreign_api_key}",): (401, "INVALID_API_KEY"),
    ("IM-API-KEY: {ended_api_key}",): (401, "INVALID_API_KEY"),
    ("Authorization: Bearer {api_key}",): (401, "MISSING_API_KEY"),
    ("X-API-Key: {api_key}",): (401, "MISSING_API_KEY"),
    ("IM-API-KEY: junk", *BY_NEW_NAMES): (401, "INVALID_API_KEY"),
    BY_NEW_NAMES: (403, "PERMISSION_DENIED"),
    ("CLIENT_KEY: {client_key}", "Authorization: {token}"): (403, "PERMISSION_DENIED"),
    ("IM-Client-Key: {client_key}", "IM-Authorization: junk"): (401, "INVALID_TOKEN"),
    ("IM-Client-Key: junk", "IM-Authorization: {token}"): (403, "INVALID_CLIENT_KEY"),
}


@pytest.mark.parametrize(("fields", "answer"), NO_PLATFORM.items(), ids=str)
def test_nobody_else_is_a_platform(
    door: Door, fields: tuple[str, ...], answer: tuple[int, str]
) -> None:
    assert refused_with(door.as_platform(*fields)) == answer


KEY = "IM-Client-Key: {client_key}"
TOKEN = "IM-Authorization: {token}"
NO_CLIENT = {
    (): (401, "MISSING_CLIENT_KEY"),
    (TOKEN,): (401, "MISSING_CLIENT_KEY"),
    ("IM-Client-Key:", TOKEN): (401, "MISSING_CLIENT_KEY"),
    ("CLIENT_KEY:", TOKEN): (401, "MISSING_CLIENT_KEY"),
    ("IM-Client-Key: junk", TOKEN): (403, "INVALID_CLIENT_KEY"),
    ("CLIENT_KEY: junk", TOKEN): (403, "INVALID_CLIENT_KEY"),
    (KEY, KEY, TOKEN): (403, "INVALID_CLIENT_KEY"),
    (KEY, "IM-Client-Key: junk", TOKEN): (403, "INVALID_CLIENT_KEY"),
    ("CLIENT_KEY: {client_key}", "CLIENT_KEY: {client_key}", TOKEN): (403, "INVALID_CLIENT_KEY"),
    (KEY, "CLIENT_KEY: junk", TOKEN): (400, "INVALID_REQUEST"),
    ("IM-Client-Key: junk", "CLIENT_KEY: {client_key}", TOKEN): (400, "INVALID_REQUEST"),
    ("IM-Client-Key:", "CLIENT_KEY: {client_key}", TOKEN): (400, "INVALID_REQUEST"),
    ("IM-Client-Key: {api_key}", TOKEN): (403, "INVALID_CLIENT_KEY"),
    ("IM-Client-Key: {foreign_client_key}", TOKEN): (403, "INVALID_CLIENT_KEY"),
    ("CLIENT_KEY: {foreign_client_key}", TOKEN): (403, "INVALID_CLIENT_KEY"),
    ("IM-Client-Key: {revoked_client_key}", TOKEN): (403, "INVALID_CLIENT_KEY"),
    (KEY,): (401, "INVALID_TOKEN"),
    (KEY, "IM-Authorization:"): (401, "INVALID_TOKEN"),
    (KEY, "Authorization:"): (401, "INVALID_TOKEN"),
    (KEY, "IM-Authorization: junk"): (401, "INVALID_TOKEN"),
    (KEY, "IM-Authorization: Bearer"): (401, "INVALID_TOKEN"),
    (KEY, "IM-Authorization: Basic {token}"): (401, "INVALID_TOKEN"),
    (KEY, "IM-Authorization: {client_key}"): (401, "INVALID_TOKEN"),
    (KEY, "Authorization: {s3}"): (401, "INVALID_TOKEN"),
    (KEY, TOKEN, TOKEN): (401, "INVALID_TOKEN"),
    (KEY, TOKEN, "IM-Authorization: {other_token}"): (401, "INVALID_TOKEN"),
    (KEY, "Authorization: {token}", "Authorization: {token}"): (401, "INVALID_TOKEN"),
    (KEY, "IM-Authorization:", "Authorization: {token}"): (401, "INVALID_TOKEN"),
    (KEY, "IM-Authorization: junk", "Authorization: {token}"): (401, "INVALID_TOKEN"),
    ("IM-API-KEY: junk", KEY, TOKEN): (401, "INVALID_API_KEY"),
    ("API_KEY: {client_key}", KEY, TOKEN): (401, "INVALID_API_KEY"),
}


@pytest.mark.parametrize(("fields", "answer"), NO_CLIENT.items(), ids=str)
def test_nobody_else_is_a_client(
    door: Door, fields: tuple[str, ...], answer: tuple[int, str]
) -> None:
    assert refused_with(door.as_client(*fields)) == answer


@pytest.mark.parametrize("path", ["/rooms", "/rooms/r/messages/v3", "/me/badge", "/", "//me"])
def test_every_other_path_asks_for_a_client_too(door: Door, path: str) -> None:
    assert refusal(door.call("GET", path))[2] == "MISSING_CLIENT_KEY"


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/admin/connection-count", "//admin/x"])
@pytest.mark.parametrize(
    ("fields", "code"), [((), "MISSING_API_KEY"), (BY_NEW_NAMES, "PERMISSION_DENIED")], ids=str
)
def test_everything_below_admin_asks_for_a_platform(
    door: Door, path: str, fields: tuple[str, ...], code: str
) -> None:
    assert refusal(door.call("GET", path, *fields))[2] == code


SAID = {
    (): ("/admin/clients", 401, "MISSING_API_KEY", "Missing API key"),
    ("IM-API-KEY: x",): ("/admin/clients", 401, "INVALID_API_KEY", "Invalid API key"),
    ("Accept: a/b",): ("/me", 401, "MISSING_CLIENT_KEY", "Missing client key"),
    ("IM-Client-Key: x",): ("/me", 403, "INVALID_CLIENT_KEY", "Invalid client key"),
    (KEY,): ("/me", 401, "INVALID_TOKEN", "Missing client token"),
    (KEY, "IM-Authorization: x"): ("/me", 401, "INVALID_TOKEN", "Invalid token"),
}


@pytest.mark.parametrize(("fields", "answer"), SAID.items(), ids=str)
def test_a_refusal_has_the_vendors_shape(
    door: Door, fields: tuple[str, ...], answer: tuple[str, int, str, str]
) -> None:
    path, status, code, message = answer
    reply = door.call("GET", path, *fields)

    assert reply.status == status
    assert reply.json == {"RC": status, "RM": message, "error": {"code": code, "message": message}}
    assert reply.header("Content-Type") == "application/json"


MEANT_FOR_THE_SERVER = {
    "script name": ("SCRIPT_NAME: /imkit",),
    # Where it takes the name from a proxy, gunicorn ends a call whose path begins otherwise.
    "script name elsewhere": ("SCRIPT_NAME: /elsewhere",),
    "path": ("PATH_INFO: /imkit/admin/clients",),
    "address": ("X_Forwarded_For: 10.0.0.1",),
    # From a proxy that it trusts gunicorn takes the scheme, and refuses two that differ.
    "scheme": ("X-Forwarded-Proto: https", "X-Forwarded-Ssl: off"),
}
LOOK_ALIKES = {
    "IM_API_KEY": ("IM_API_KEY: {api_key}",),
    "HTTP_API_KEY": ("HTTP_API_KEY: {api_key}",),
    "IM_Client_Key": ("IM_Client_Key: {client_key}",),
    "IM_Authorization": ("IM_Authorization: {other_token}",),
    "IM_CLIENT_ID": ("IM_CLIENT_ID: other",),
}


@pytest.mark.parametrize("fields", [*MEANT_FOR_THE_SERVER.values(), *LOOK_ALIKES.values()], ids=str)
def test_a_look_alike_beside_good_fields_changes_nothing(
    door: Door, fields: tuple[str, ...]
) -> None:
    for names in (BY_NEW_NAMES, ("CLIENT_KEY: {client_key}", "Authorization: {token}")):
        assert door.as_client(*names, *fields).json["result"]["_id"] == "caller"

    assert door.as_platform("IM-API-KEY: {api_key}", *fields).status == 200


@pytest.mark.parametrize("fields", [*MEANT_FOR_THE_SERVER.values(), *LOOK_ALIKES.values()], ids=str)
def test_a_look_alike_alone_lets_nobody_in(door: Door, fields: tuple[str, ...]) -> None:
    assert refusal(door.as_platform(*fields))[2] == "MISSING_API_KEY"
    assert refusal(door.as_client(*fields))[2] == "MISSING_CLIENT_KEY"


def test_a_look_alike_of_one_half_does_not_stand_for_it(door: Door) -> None:
    assert refusal(door.as_client(KEY, "IM_Authorization: {token}"))[2] == "INVALID_TOKEN"
    assert refusal(door.as_client("IM_Client_Key: {client_key}", TOKEN))[2] == "MISSING_CLIENT_KEY"


def test_no_field_moves_the_routes(door: Door) -> None:
    """Everybody is one from whom gunicorn takes the two legacy names; never these."""
    moved = ("SCRIPT_NAME: /imkit/x", "PATH_INFO: /imkit/admin/clients")
    reply = door.call("GET", "/x/admin/clients", *moved, "IM-API-KEY: {api_key}")

    assert reply.status == 503, "it is forwarded as it stands, and there is no server"


@pytest.fixture(scope="session")
def chatsdk_server() -> Iterator[ChatSDKUpstream]:
    with ChatSDKUpstream(canaries.CHATSDK_KEY) as sandbox:
        yield sandbox


def chatsdk_before_it(server: ChatSDKUpstream) -> dict[str, str]:
    return TOKEN_SECRETS | {
        "CHATSDK_BASE_URL": server.url,
        "CHATSDK_API_KEY": canaries.CHATSDK_KEY,
    }


@pytest.fixture(scope="session")
def strict(
    imkit_before: Callable[..., Any], chatsdk_server: ChatSDKUpstream, upstream: StreamUpstream
) -> Iterator[Site]:
    """A site with other providers beside IMKit, where few failures are enough."""
    settings = {
        "PROVIDERS": "imkit,stream,chatsdk",
        "STREAM_API_KEY": canaries.API_KEY,
        "STREAM_API_SECRET": canaries.API_SECRET,
        "STREAM_BASE_URL": upstream.url,
        "AUTH_FAILURE_LIMIT": f"{ALLOWED} per 5 minutes",
    }

    with imkit_before(**settings, **chatsdk_before_it(chatsdk_server)) as site:
        yield site


def legacy_fields_at(server: Any, port: int, path: str, *names: str) -> set[str]:
    """Make a call that is forwarded; return the legacy names that arrived, in any spelling."""
    server.journal.clear()
    assert ask(port, get(path, *(f"{name}: x" for name in names))).status in (200, 401)
    (arrived,) = server.journal
    found = {name.decode().lower().replace("_", "-") for name, _ in arrived.headers}
    return found & {"api-key", "client-key"}


TO_STREAM = "/proxy/app"
TO_CHATSDK = "/chatsdk/proxy/api/users?limit=0"


@pytest.mark.parametrize("name", ["API_KEY", "CLIENT_KEY"])
def test_a_legacy_field_does_not_reach_stream(
    strict: Site, upstream: StreamUpstream, name: str
) -> None:
    assert legacy_fields_at(upstream, strict.sidecar.port, TO_STREAM, name) == set()


@pytest.mark.parametrize("name", ["API_KEY", "CLIENT_KEY"])
def test_a_legacy_field_does_not_reach_chatsdk(
    strict: Site, chatsdk_server: ChatSDKUpstream, name: str
) -> None:
    assert legacy_fields_at(chatsdk_server, strict.sidecar.port, TO_CHATSDK, name) == set()


def test_with_stream_only_no_legacy_field_arrives(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    names = ("API_KEY", "CLIENT_KEY")

    assert legacy_fields_at(upstream, sidecar.port, TO_STREAM, *names) == set()


def test_with_chatsdk_only_no_legacy_field_arrives(
    chatsdk_server: ChatSDKUpstream, output_folder: Path, tmp_path: Path
) -> None:
    settings = {
        "PROVIDERS": "chatsdk",
        "KEY_SIGNING_SECRET": canaries.KEY_SIGNING_SECRET,
        "DATABASE_URL": f"sqlite:///{tmp_path}/directory.db",
        **chatsdk_before_it(chatsdk_server),
    }
    names = ("API_KEY", "CLIENT_KEY", "api_key", "client_key")

    with Sidecar(output_folder / "imkit-off.log", settings) as off:
        assert legacy_fields_at(chatsdk_server, off.port, TO_CHATSDK, *names) == set()


def deprecations(site: Site, key_id: str) -> list[str]:
    """The deprecated names that were noted of a key, once for each line; no line holds more."""
    lines = [line for line in site.sidecar.lines() if line["msg"] == DEPRECATED]
    mine = [line for line in lines if line["keyId"] == key_id]
    known = {"level", "time", "pid", "hostname", "name", "msg", "reqId", "keyId", "header"}
    assert all(line.keys() <= known for line in mine), mine
    return [line["header"] for line in mine]


def test_a_platforms_deprecated_name_is_noted_once_for_each_key(door: Door) -> None:
    made = run_all(door.site, "keys create first", "keys create second")

    for key in [made[0], made[0], made[1]]:
        assert door.site.bare("GET", "/admin/clients", f"API_KEY: {key['apiKey']}").status == 200

    assert [deprecations(door.site, key["keyId"]) for key in made] == [["API_KEY"]] * 2


def test_a_clients_deprecated_names_are_noted_once_for_each_key(door: Door) -> None:
    key = door.site.run("keys", "create", "app", "--kind", "client")["clientKey"]

    for _ in range(2):
        fields = (f"CLIENT_KEY: {key}", "Authorization: {token}")
        assert door.as_client(*fields).status == 200

    assert deprecations(door.site, key.partition(".")[0]) == ["CLIENT_KEY", "Authorization"]


def test_of_the_new_names_nothing_is_noted(door: Door) -> None:
    key = door.site.run("keys", "create", "app", "--kind", "client")["clientKey"]
    fields = (f"IM-Client-Key: {key}", f"CLIENT_KEY: {key}", TOKEN, "Authorization: {token}")

    assert door.as_client(*fields).status == 200
    assert deprecations(door.site, key.partition(".")[0]) == []


def test_nothing_that_was_shown_stands_in_the_log(door: Door) -> None:
    door.as_platform("API_KEY: {api_key}")
    door.as_client("CLIENT_KEY: {client_key}", "Authorization: {token}")
    log = door.site.sidecar.output.read_text()

    assert [name for name, text in door.shown.items() if text in log] == []


def held_back(replies: list[Reply], status: int) -> bool:
    """Say whether the last one is the first to be held back, and told when to come again."""
    last = replies[-1]
    assert refusal(last)[2] == "RATE_LIMIT_EXCEEDED", last.json
    assert 1 <= int(last.header("Retry-After") or 0) <= 300
    return [reply.status for reply in replies] == [status] * ALLOWED + [429]


def test_bad_platform_keys_are_held_back_and_good_ones_are_not(strict: Site) -> None:
    guesses = [f"IM-API-KEY: guess-{number}" for number in range(ALLOWED + 1)]
    replies = [strict.bare("GET", "/admin/clients", guess) for guess in guesses]

    assert held_back(replies, 401)
    assert strict.ask("GET", "/admin/clients").status == 200


def test_a_bad_client_key_is_held_back_and_good_ones_are_not(strict: Site) -> None:
    token = strict.token("held")
    bad = (f"IM-Client-Key: {strict.api_key}", f"IM-Authorization: {token}")
    replies = [strict.bare("GET", "/me", *bad) for _ in range(ALLOWED + 1)]

    assert held_back(replies, 403)
    assert strict.acting(token, "GET", "/me").status == 200


def test_a_bad_token_is_held_back_and_no_other_is(strict: Site) -> None:
    token = strict.token("patient")
    replies = [strict.acting("bad-token", "GET", "/me") for _ in range(ALLOWED + 1)]

    assert held_back(replies, 401)
    assert strict.acting("another-bad-token", "GET", "/me").status == 401
    assert strict.acting(token, "GET", "/me").status == 200


def devices_of(site: Site, client_id: str) -> list[dict[str, Any]]:
    """The devices of a client, as its platform sees them."""
    reply = site.ask("GET", f"/admin/clients?q=%7B%22_id%22:%22{client_id}%22%7D")
    (shown,) = reply.json["result"]["data"]
    found: list[dict[str, Any]] = shown["devices"]
    return found


def seen_on(site: Site, client_id: str, *device_ids: str) -> list[str]:
    """Have a client call from devices, one after the other; return the ids that are kept."""
    token = site.token(client_id)

    for device_id in device_ids:
        assert from_device(site, token, device_id).status == 200

    return [device["id"] for device in devices_of(site, client_id)]


def from_device(site: Site, token: str, device_id: str) -> Reply:
    as_bytes = device_id.encode("utf-8", "surrogateescape").decode("latin-1")
    return site.acting(token, "GET", "/me", f"IM-Device-ID: {as_bytes}")


def test_a_device_is_shown_with_its_last_sight(site: Site) -> None:
    before = int(time.time() * 1000)
    seen_on(site, "device-one", "phone")
    (device,) = devices_of(site, "device-one")

    assert sorted(device) == ["id", "lastSeenMS"]
    assert device["id"] == "phone"
    assert before <= device["lastSeenMS"] <= time.time() * 1000


def test_a_client_may_have_several_devices(site: Site) -> None:
    assert seen_on(site, "device-two", "phone", "tablet", "phone") == ["tablet", "phone"]


def test_the_newest_twenty_devices_are_kept(site: Site) -> None:
    device_ids = [f"device-{number}" for number in range(23)]

    assert seen_on(site, "device-many", *device_ids) == device_ids[:2:-1]


@pytest.mark.parametrize(
    "device_id", ["ü手机-📱", "a b", "x" * 255, "手" * 255], ids=lambda text: ascii(text)[:12]
)
def test_a_device_id_may_be_any_text(site: Site, device_id: str) -> None:
    client_id = f"device-{len(device_id)}-{ord(device_id[0])}"

    assert seen_on(site, client_id, device_id) == [device_id]


def test_an_empty_device_id_is_no_device(site: Site) -> None:
    assert seen_on(site, "device-none", "", " ") == []


@pytest.mark.parametrize(
    "device_id",
    ["x" * 256, "手" * 256, "a\tb", "a\u0085b", "a\u200bb", "a\u2028b", "\udcff"],
    ids=lambda text: ascii(text)[:12],
)
def test_a_device_id_of_no_use_is_refused(door: Door, device_id: str) -> None:
    token = door.site.token("device-bad")

    assert refusal(from_device(door.site, token, device_id)) == (400, 400, "INVALID_REQUEST")
    assert devices_of(door.site, "device-bad") == []


@pytest.mark.parametrize("device_id", ["a\0b", "a\x01b", "a\x1bb", "a\x7fb"], ids=ascii)
def test_a_control_character_is_refused_by_the_server_in_front(door: Door, device_id: str) -> None:
    assert from_device(door.site, door.shown["token"], device_id).status == 400


def test_who_is_refused_has_no_device(door: Door) -> None:
    door.site.token("device-refused")
    field = "IM-Device-ID: phone"
    door.as_client(KEY, "IM-Authorization: junk", field)
    door.call("GET", "/me", "IM-API-KEY: {api_key}", "IM-CLIENT-ID: device-refused", field)

    assert devices_of(door.site, "device-refused") == []
