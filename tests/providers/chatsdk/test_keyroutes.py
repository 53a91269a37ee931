"""A user's token reaches no route that is for a key, in whatever way the path is spelt.

The table has spellings; each is tried for each key route, with each method that is forwarded.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from chatproxy.errors import BadTarget
from chatproxy.forwarding.target import Target
from chatproxy.providers.chatsdk.keyroutes import needs_api_key
from chatproxy.web.relay import METHODS
from tests.badinput.canned import CannedUpstream
from tests.calls import call
from tests.canaries import CHATSDK_KEY
from tests.everything import recorder
from tests.providers.chatsdk.conftest import App
from tests.sidecar import free_port

#: A method, and the path below `/api` as its segments.
ROUTES = {
    "connect": ("POST", ["auth", "connect"]),
    "mint": ("POST", ["server", "apps", "x", "tokens", "mint"]),
    "server": ("GET", ["server"]),
    "admin": ("GET", ["admin", "apps"]),
    "ensure": ("POST", ["users", "ensure"]),
    "bulk": ("POST", ["users", "bulk-ensure"]),
    "revoke": ("POST", ["users", "bob", "revoke-tokens"]),
    "delete": ("DELETE", ["users", "bob"]),
}

#: Those of the server of 2.0, and of the ones between. The spellings are tried without a server.
LATER = {
    "connect for development": ("POST", ["auth", "connect-dev"]),
    "bulk deletion": ("POST", ["users", "bulk-delete"]),
    "sync": ("POST", ["users", "sync"]),
    "sync of one": ("PUT", ["users", "bob"]),
    "another user's export": ("POST", ["users", "bob", "export"]),
    "a channel of others": ("POST", ["channels", "dm", "ensure"]),
}

#: Ways to spell a path of segments, behind `/api/`.
SPELLINGS: dict[str, Callable[[list[str]], str]] = {
    "plain": "/".join,
    "slash behind": lambda path: "/".join(path) + "/",
    "two slashes behind": lambda path: "/".join(path) + "//",
    "slash in front": lambda path: "/" + "/".join(path),
    "doubled slashes": "//".join,
    "99 slashes": ("/" * 99).join,
    "upper case": lambda path: "/".join(path).upper(),
    "title case": lambda path: "/".join(path).title(),
    "encoded slashes": "%2f".join,
    "encoded slashes, upper case": "%2F".join,
    "slashes encoded twice": "%252f".join,
    "slashes encoded three times": "%25252f".join,
    "encoded slash behind": lambda path: "/".join(path) + "%2f",
    "encoded slash in front": lambda path: "%2f" + "/".join(path),
    "last slash encoded": lambda path: "/".join(path[:-1]) + "%2f" + path[-1],
    "first slash encoded": lambda path: path[0] + "%2f" + "/".join(path[1:]),
    "encoded letters": lambda path: "/".join(map(encoded, path)),
    "letters encoded twice": lambda path: "/".join(encoded(encoded(one)) for one in path),
    "one letter encoded": lambda path: "/".join(encoded(one[0]) + one[1:] for one in path),
    "letters and slashes encoded": lambda path: "%2f".join(map(encoded, path)),
    "parameter": lambda path: "/".join(f"{one};x=y" for one in path),
    "empty parameter": lambda path: "/".join(f"{one};" for one in path),
    "encoded parameter": lambda path: "/".join(f"{one}%3bx" for one in path),
    "parameter encoded twice": lambda path: "/".join(f"{one}%253bx" for one in path),
    "parameter that has a slash": lambda path: "/".join(path) + ";x=/y/z",
    "encoded question mark": lambda path: "/".join(path) + "%3fx=y",
    "encoded question mark and slash": lambda path: "/".join(path) + "%3fx/y",
    "encoded hash": lambda path: "/".join(path) + "%23x",
    "question mark encoded twice": lambda path: "/".join(path) + "%253fx/y",
    "parameter as a segment": lambda path: ";x/" + "/;y/".join(path),
    "space behind": lambda path: "/".join(f"{one}%20" for one in path),
    "space in front": lambda path: "/".join(f"%20{one}" for one in path),
    "space as a segment": lambda path: "%20/" + "/%20/".join(path),
    "dot behind": lambda path: "/".join(path) + ".",
    "dots behind": lambda path: "/".join(f"{one}..." for one in path),
    "encoded dot behind": lambda path: "/".join(path) + "%2e",
    "file ending": lambda path: "/".join(path) + ".json",
    "file ending with a parameter": lambda path: "/".join(path) + ".json;x",
    "fullwidth letters": lambda path: "/".join(quote(fullwidth(one)) for one in path),
    "fullwidth slash": lambda path: quote("\uff0f", safe="").join(path),
    "division slash": lambda path: quote("\u2215", safe="").join(path),
    "fraction slash": lambda path: quote("\u2044", safe="").join(path),
    "big solidus": lambda path: quote("\u29f8", safe="").join(path),
    "zero width": lambda path: "/".join(f"{one}{quote(chr(0x200B))}" for one in path),
    "soft hyphen within": lambda path: "/".join(
        f"{one[0]}{quote(chr(0xAD))}{one[1:]}" for one in path
    ),
    "long s": lambda path: "/".join(quote(one.replace("s", "\u017f")) for one in path),
    "Kelvin sign": lambda path: "/".join(quote(one.replace("k", "\u212a")) for one in path),
    "fullwidth dots": lambda path: quote("x/\uff0e\uff0e/") + "/".join(path),
    "one dot leaders": lambda path: quote("x/\u2024\u2024/") + "/".join(path),
    "two dot leader": lambda path: quote("x/\u2025/") + "/".join(path),
    "fullwidth dots and slash": lambda path: (
        quote("x/\uff0e\uff0e\uff0f", safe="/") + "/".join(path)
    ),
    "dots": lambda path: "x/../" + "/".join(path),
    "encoded dots": lambda path: "x/%2e%2e/" + "/".join(path),
    "encoded dots and slashes": lambda path: "x%2f..%2f" + "/".join(path),
    "dots encoded twice": lambda path: "x/%252e%252e/" + "/".join(path),
    "dots with a parameter": lambda path: "x/..;/" + "/".join(path),
    "single dot": lambda path: "./" + "/./".join(path),
    "backslashes": "\\".join,
    "encoded backslashes": "%5c".join,
    "backslashes encoded twice": "%255c".join,
    "NUL behind": lambda path: "/".join(path) + "%00",
    "line end behind": lambda path: "/".join(path) + "%0a",
    "tab behind": lambda path: "/".join(path) + "%09",
    "overlong slash": "%c0%af".join,
    "query": lambda path: "/".join(path) + "?x=y",
    "empty query": lambda path: "/".join(path) + "?",
}

#: Ids of the user in the two routes that have one.
IDS = [
    "bob", "a%2fb", "a%2Fb%2fc", "%2fb", "b%2f", "%2f", "a%252fb", "a;b", ";b", "%3b", "a%3fb",
    "a%23b", "john.doe", "...", "%20", "%C3%A4", "%EF%BC%8F", "a%EF%BC%8Fb", "ensure", "%ff", "@me",
]  # fmt: skip
PER_ID = {
    "delete": ("DELETE", "users/{}"),
    "delete, slash": ("DELETE", "users/{}/"),
    "revoke": ("POST", "users/{}/revoke-tokens"),
    "revoke, slash": ("POST", "users/{}/revoke-tokens/"),
    "revoke, ending": ("POST", "users/{}/revoke-tokens.json"),
    "revoke, encoded": ("POST", "users%2f{}%2frevoke-tokens"),
    "revoke, half encoded": ("POST", "users/{}%2frevoke-tokens"),
    "revoke, deep": ("POST", "users/a/{}/b/revoke-tokens"),
}

OPEN = [
    ("GET", "channels"),
    ("POST", "channels/general/messages"),
    ("DELETE", "channels/users/bob"),
    ("DELETE", "channels/admin"),
    ("GET", "channels/server/x"),
    ("GET", "users/bob"),
    ("GET", "users/a%2fb"),
    ("GET", "users/john.doe"),
    ("GET", "users/me?x=_method"),
    ("PATCH", "users/me"),
    ("GET", "users"),
    ("GET", "users/a/devices"),
    ("DELETE", "users/me/devices/d1"),
    ("DELETE", "users/%E3%83%A6/devices"),
    ("GET", "users/revoke"),
    ("GET", "/".join("abcdefgh") + "/i" * 80),
    ("POST", "users/me/block"),
    ("POST", "users/me/export"),
    ("POST", "users/me/export/"),
    ("GET", "users/export"),
    ("GET", "channels/ensure"),
    ("GET", "channels/general/ensured"),
    ("POST", "realtime/subscription-token"),
    ("GET", "servers/x"),
    ("GET", "administrators"),
    ("GET", "users/%E3%83%A6"),
    ("GET", "search?q=/admin/x"),
]


def encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def fullwidth(text: str) -> str:
    return "".join(chr(ord(one) + 0xFEE0) for one in text)


@pytest.fixture(scope="module")
def recording() -> Iterator[CannedUpstream]:
    """A server that takes whatever comes, and tells."""
    with recorder() as upstream:
        yield upstream


@pytest.fixture(scope="module", params=["one door", "client door"])
def behind(
    recording: CannedUpstream, request: pytest.FixtureRequest, chatsdk_before: Callable[..., Any]
) -> Iterator[tuple[App, int]]:
    """A sidecar, and the port at which clients call."""
    port = free_port()
    apart = {"CLIENT_PORT": str(port)} if request.param == "client door" else {}

    with chatsdk_before(
        CHATSDK_BASE_URL=recording.url, CHATSDK_API_KEY=CHATSDK_KEY, **apart
    ) as app:
        yield app, port if apart else app.sidecar.port


@pytest.fixture(scope="module")
def bearer(behind: tuple[App, int]) -> str:
    app, _ = behind
    return f"Authorization: Bearer {app.tokens('mallory')['token']}"


@pytest.fixture(autouse=True)
def _forget_heads(recording: CannedUpstream) -> None:
    recording.requests.clear()


def check_nothing_goes_out(
    port: int,
    recording: CannedUpstream,
    method: str,
    path: str,
    *fields: str,
    body: bytes | None = None,
) -> None:
    reply = call(port, method, path, *fields, body=body)

    assert reply.status in (400, 401, 403, 404), (method, path, reply.raw.body)
    assert recording.requests == [], (method, path)


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("name", ROUTES)
def test_no_spelling_reaches_a_key_route(
    behind: tuple[App, int],
    bearer: str,
    recording: CannedUpstream,
    name: str,
    spelling: Callable[[list[str]], str],
) -> None:
    method, segments = ROUTES[name]
    methods = [method] if name == "delete" else METHODS

    for one in methods:
        check_nothing_goes_out(behind[1], recording, one, f"/api/{spelling(segments)}", bearer)


@pytest.mark.parametrize("name", LATER)
def test_a_later_key_route_is_refused(
    behind: tuple[App, int], bearer: str, recording: CannedUpstream, name: str
) -> None:
    method, segments = LATER[name]
    check_nothing_goes_out(behind[1], recording, method, f"/api/{'/'.join(segments)}", bearer)


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("name", LATER)
def test_no_spelling_is_taken_for_another_route(
    name: str, spelling: Callable[[list[str]], str]
) -> None:
    method, segments = LATER[name]

    with contextlib.suppress(BadTarget):
        target = Target.read(f"/api/{spelling(segments)}").below("")
        assert needs_api_key(method, target.path, target.query, "")


EXPORTS = ["bob/export", "me/me/export", "x/me/export", "m/export", "mee/export", "me;x/x/export"]


@pytest.mark.parametrize("path", EXPORTS)
def test_a_user_exports_nobody_else(path: str) -> None:
    assert needs_api_key("POST", f"/api/users/{path}", None, "")


@pytest.mark.parametrize("name", PER_ID)
def test_no_id_reaches_a_key_route(
    behind: tuple[App, int], bearer: str, recording: CannedUpstream, name: str
) -> None:
    method, path = PER_ID[name]

    for user_id in IDS:
        check_nothing_goes_out(behind[1], recording, method, f"/api/{path.format(user_id)}", bearer)


@pytest.mark.parametrize("prefix", ["/%61pi", "/API", "//api", "/api;x", "/api%2f", "/ap%69/"])
def test_the_place_itself_is_spelt_one_way(
    behind: tuple[App, int], bearer: str, recording: CannedUpstream, prefix: str
) -> None:
    for method, segments in ROUTES.values():
        path = f"{prefix}/{'/'.join(segments)}"
        check_nothing_goes_out(behind[1], recording, method, path, bearer)


FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("query", "fields", "body"),
    [
        ("?_method=DELETE", [], None),
        ("?a=b&_METHOD=delete", [], None),
        ("?%5fmethod=DELETE", [], None),
        ("?_method[]=DELETE", [], None),
        ("?x-http-method-override=DELETE", [], None),
        ("?X-HTTP-Method=DELETE", [], None),
        ("", [FORM], b"_method=DELETE"),
        ("", [f"{FORM.upper()}; charset=utf-8"], b"_method=DELETE"),
        ("", ["Content-Type: multipart/form-data; boundary=b"], b"--b\r\n"),
    ],
)
def test_no_other_method_becomes_a_deletion(
    behind: tuple[App, int],
    bearer: str,
    recording: CannedUpstream,
    query: str,
    fields: list[str],
    body: bytes | None,
) -> None:
    for method in ("POST", "PUT", "PATCH", *(() if body else ("GET",))):
        path = f"/api/users/bob{query}"
        check_nothing_goes_out(behind[1], recording, method, path, bearer, *fields, body=body)


@pytest.mark.parametrize(
    "name",
    ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X_HTTP_Method_Override"],
)
def test_a_header_that_changes_the_method_is_left_behind(
    behind: tuple[App, int], bearer: str, recording: CannedUpstream, name: str
) -> None:
    call(behind[1], "POST", "/api/users/bob", bearer, f"{name}: DELETE", body={})

    ((_, head),) = recording.requests
    assert b"delete" not in head.lower()


@pytest.mark.parametrize(
    "name",
    ["X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-Uri", "X-Override-URL"],
)
def test_a_header_that_changes_the_path_is_left_behind(
    behind: tuple[App, int], bearer: str, recording: CannedUpstream, name: str
) -> None:
    call(behind[1], "GET", "/api/channels", bearer, f"{name}: /api/admin/apps")

    ((_, head),) = recording.requests
    assert b"admin" not in head.lower()


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_what_users_call_stays_open(
    behind: tuple[App, int], bearer: str, recording: CannedUpstream, method: str, path: str
) -> None:
    assert call(behind[1], method, f"/api/{path}", bearer).status == 200

    ((_, head),) = recording.requests
    assert head.startswith(f"{method} /api/{path} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    "path",
    [
        "/api/" + "/" * 7000 + "admin",
        "/api/" + ";x/" * 2500 + "admin/x",
        "/api/" + "%2f" * 2500 + "admin",
        "/api/" + "%252525252525252f" * 400 + "x",
        "/api/" + "%EF%BC%8F" * 800 + "x",
        "/api/" + "a" * 7000,
        "/api/" + "a%252525;/" * 700,
        "/api/users" + "/" * 16_000 + "x/y",
        "/api/users/" + "a" * 8000 + "/" * 8000 + "y",
        "/api/users/" + "revoke-tokens./" * 500 + "x",
    ],
    ids=lambda path: path[:20],
)
def test_the_longest_path_is_read_in_a_moment(path: str) -> None:
    """A worker serves nobody else meanwhile."""
    for method in ("GET", "DELETE"):
        started = time.perf_counter()

        with contextlib.suppress(BadTarget):
            needs_api_key(method, path, None, "")

        assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize("segment", ["x", "", "%78", "%20"])
def test_no_path_has_any_number_of_segments(segment: str) -> None:
    """A path of plain letters was read whatever their number was."""
    longest = f"/api{f'/{segment}' * 98}"

    assert not needs_api_key("GET", longest, None, "")

    with pytest.raises(BadTarget, match="more than 100 segments"):
        needs_api_key("GET", f"{longest}/x", None, "")
