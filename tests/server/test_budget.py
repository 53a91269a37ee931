"""No request keeps the worker from all others for more than 100 ms, whatever it brings."""

import base64
import contextlib
import gzip
import itertools
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests import commands
from tests.badinput.canned import CannedUpstream
from tests.calls import JSON
from tests.databases import new_directory
from tests.everything import environ_before, recorder, rules_of
from tests.sidecar import Sidecar
from tests.wire import connected, get

BUDGET = 0.1

#: Seconds of CPU for the meter's piece of work on the machine for which the budget is meant. On a
#: slower one, or beside a load that takes its caches, everything may take as much longer.
USUAL_WORK = 0.004

#: A reading is of the request alone, but a neighbour or a collection of garbage can spoil one.
ATTEMPTS = 3

KIB, MIB = 1024, 1024 * 1024
FORWARDING = ("proxy", "-api", "-forwarded", "-websocket", "-socket", "-preflight")
ids = itertools.count()


class Metered(Sidecar):
    """A sidecar that notes how long each request held it up."""

    command = ("-m", "gunicorn", "-c", "python:tests.server.metered_conf", "wsgi:app")

    def __init__(self, output: Path, environ: dict[str, str]) -> None:
        self.readings = output.with_suffix(".meter")
        super().__init__(output, environ | {"METER_OUTPUT": str(self.readings)})

    def held(self, head: Callable[[str], bytes], body: bytes = b"") -> float:
        """Send a request; return for how many seconds it held the worker, of the usual speed."""
        name = f"budget-{next(ids)}"

        with connected(self.port, timeout=60) as sock:
            # A refusal comes before all of a body is sent, and the connection may end with it.
            with contextlib.suppress(OSError):
                sock.sendall(head(name) + body)

            with contextlib.suppress(OSError):
                while sock.recv(MIB):
                    pass

        found = self.reading(name)
        return float(found["held"] / max(1.0, found["work"] / USUAL_WORK))

    def reading(self, name: str) -> dict[str, Any]:
        until = time.monotonic() + 30

        while time.monotonic() < until:
            for line in reversed(self.readings.read_text().splitlines()):
                if f'"{name}"' in line:
                    found: dict[str, Any] = json.loads(line)
                    return found

            time.sleep(0.01)

        raise AssertionError(f"no reading of {name}")


class Site:
    """The metered sidecar, and what a caller needs to be let in."""

    def __init__(self, sidecar: Metered) -> None:
        self.sidecar = sidecar
        self.key = commands.answer(sidecar.environ, "keys", "create", "budget")
        commands.answer(sidecar.environ, "agents", "create", "Agent", "--id", "agent")
        self.halves = {"keyId": self.key["keyId"], "keySecret": self.key["keySecret"]}

    def held(
        self, method: str, path: str, *fields: str, body: Any = None, credentials: bool = True
    ) -> float:
        """Return for how long a request holds the worker: the least of some attempts."""
        content = b"" if body is None else body if isinstance(body, bytes) else _json(body)
        lines = [*(self.credentials_for(path) if credentials else []), *fields]

        if body is not None:
            lines += [JSON, f"Content-Length: {len(content)}"]

        def head(name: str) -> bytes:
            ours = (f"X-Request-Id: {name}", "Connection: close")
            return get(path, *ours, *lines, method=method)

        return min_of(lambda: self.sidecar.held(head, content))

    def held_before(self, request: bytes) -> float:
        """Return for how long a request holds the worker that its server may refuse.

        Such a one has no reading, so it is in that of the next.
        """
        with connected(self.sidecar.port) as sock, contextlib.suppress(OSError):
            sock.sendall(request)

            while sock.recv(MIB):
                pass

        return self.sidecar.held(
            lambda name: get("/api-key", f"X-Request-Id: {name}", "Connection: close")
        )

    def credentials_for(self, path: str) -> list[str]:
        """Return the credentials that the surface at a path asks for in the head."""
        if path.startswith("/imkit"):
            return [f"IM-API-KEY: {self.key['apiKey']}", "IM-CLIENT-ID: 1"]

        if path.startswith("/imbachat"):
            pair = base64.b64encode(b"login:password-of-imbachat-com").decode()
            return [f"Authorization: Basic {pair}"]

        # Not signed by whom it says: all that can be is tried, and nothing is handed on.
        if path == "/webhook/stream":
            return ["X-Signature: " + "0" * 64]

        return [f"X-API-Key: {self.key['apiKey']}"]


def min_of(attempt: Callable[[], float]) -> float:
    """The least of some readings. One within the budget ends the series."""
    least = attempt()

    for _ in range(ATTEMPTS - 1):
        if least <= BUDGET:
            break

        least = min(least, attempt())

    return least


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


@pytest.fixture(scope="module")
def canned() -> Iterator[CannedUpstream]:
    with recorder() as running:
        yield running


@pytest.fixture(scope="module")
def site(
    canned: CannedUpstream, output_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with new_directory("sqlite", tmp_path_factory.mktemp("budget")) as url:
        environ = environ_before(canned.url) | {"DATABASE_URL": url, "WEBHOOK_TARGET": canned.url}

        # Without an IMKit server: a change is not written through, and badges are answered here.
        for name in ("IMKIT_BASE_URL", "IMKIT_API_KEY", "IMKIT_CLIENT_KEY"):
            del environ[name]

        with Metered(output_folder / "budget.log", environ) as running:
            made = Site(running)
            made.held("POST", "/imkit/admin/clients", body={"_id": "1"})

            for path in ("/imkit/badge", "/proxy/x", "/tokens"):  # what is made on first use
                made.held("POST", path, body={})

            yield made


TEXTS = {
    "letters": "a" * 250 * KIB,
    "labels": "a@" + "a." * 125 * KIB,
    "quotes": '"\\' * 80 * KIB,
    "spaces": "http://a/" + " " * 250 * KIB,
    "surrogates": "\ud800" * 40 * KIB,
    "brackets": "[{," * 80 * KIB,
    "JWT": "eyJ" * 80 * KIB,
}

#: Sent to every endpoint that takes a body, whatever it expects.
ANYTHING: dict[str, bytes] = {
    "bad items": _json([7] * 50_000),
    "objects": _json([{}] * 9_999),
    "lists": b"[" + b"[]," * 300_000 + b"[]]",
    "deep": b"[" * MIB,
    "names": b"{" + b",".join(b'"%d":1' % one for one in range(49_999)) + b"}",
    "words": _json(["", '"'] * 24_000),
    "numbers": b"[" + b",".join(b"0.%017de-300" % one for one in range(40_000)) + b"]",
    "long numbers": b"[" + b",".join([b"9" * 4_300] * 240) + b"]",
    "words that close": b'["' + b'",",' * 250_000 + b'"]',
    "spaces": b" " * MIB,
    "no UTF-8": b'"' + b"a" * (MIB - 10) + b'\xff"',
}


def packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content)).decode()


def each(field: str, **beside: Any) -> dict[str, Any]:
    """Make a body for each of the texts in one field."""
    return {f"{field}, {name}": {field: text, **beside} for name, text in TEXTS.items()}


USER = each("userId") | each("email", userId="a") | each("image", userId="a")
METADATA = {
    "many names": {str(one): one for one in range(14_000)},
    "long text": {"a": "\u00fc" * 40 * KIB},
    "nested": {"a": [[[]] * 3_000] * 3},
}
CLIENT = each("_id") | each("email", _id="a") | each("avatarUrl", _id="a")

#: By endpoint: bodies that reach as far as its checks go.
KNOWN: dict[str, dict[str, Any]] = {
    "stream-webhook.verify": {
        "zeros": {"rawBody": packed(bytes(10 * MIB)), "signature": "a", "encoding": "base64"},
        "too many": {"rawBody": packed(bytes(500 * MIB)), "signature": "a", "encoding": "base64"},
        **each("rawBody", signature="a"),
        **each("signature", rawBody="a"),
    },
    "stream-receiving.receive": {
        "zeros": gzip.compress(bytes(10 * MIB)),
        "too many": gzip.compress(bytes(500 * MIB)),
        "members": gzip.compress(b"") * 50_000,
        "SNS around zeros": {"Type": "Notification", "Message": packed(bytes(10 * MIB))},
        **{f"SNS, {name}": {"Type": "a", "Message": text} for name, text in TEXTS.items()},
    },
    "stream-revocation.revoke": each("before"),
    "stream-guests.make_guest": each("user")
    | {f"user with {name}": {"user": {"id": "a", "custom": one}} for name, one in METADATA.items()},
    "v1.give": USER
    | each("providers", userId="a")
    | {
        "many providers": {"userId": "a", "providers": ["stream"] * 50_000},
        **{f"custom, {name}": {"userId": "a", "custom": one} for name, one in METADATA.items()},
    },
    "v1.end": each("reason"),
    "v1.refuse": {},
    "imbachat-wordpress.search": {},
    "chatsdk-connecting.connect": each("userId")
    | each("displayName", userId="a")
    | each("avatar", userId="a")
    | each("email", userId="a")
    | {f"metadata, {name}": {"userId": "a", "metadata": one} for name, one in METADATA.items()},
    "chatsdk-renewal.renew": each("refreshToken"),
    "chatsdk-tokens.issue": USER | each("name", userId="a"),
    "chatsdk-ensuring.ensure": USER
    | {name: {"userId": "a", "custom": one} for name, one in METADATA.items()},
    "chatsdk-revocation.revoke": each("reason"),
    "chatsdk-exchange.refresh": {},
    "performchat-tokens.issue": each("userId") | each("agentId", userId="a") | each("expiresIn"),
    "performchat-invalidation.invalidate": each("customerUserId"),
    "performchat-verification.verify": each("token"),
    "performchat-agents.show_all": {},
    "performchat-agent.show": {},
    "performchat-customers.show_all": each("external_id") | each("name") | each("email"),
    "performchat-customer.change": each("name")
    | each("email")
    | {name: {"metadata": one} for name, one in METADATA.items()},
    "imkit-clients.put": CLIENT | each("token", _id="a") | each("expirationDate", _id="a"),
    "imkit-clients.put_many": {
        "bad items": {"data": [7] * 50_000},
        "bad clients": {"data": [{}] * 9_000},
        "100 bad clients": {"data": [{"_id": "\0" * 2_000, "email": "a@" + "a." * 2_000}] * 100},
        "100 clients": {"data": [{"_id": f"c{one}", "nickname": "n" * 999} for one in range(100)]},
    },
    "imkit-clients.put_token": each("token") | each("expirationDate", token="a"),  # noqa: S106
    "imkit-clients.delete_token": each("token"),
    "imkit-me.change": each("email") | each("avatarUrl") | each("description"),
    "imkit-verify.verify": each("token"),
    "imkit-badge.show_some": {
        "500 bad ids": ["\0" * 1_000] * 500,
        "ids": [f"c{one}" for one in range(500)],
        **{name: [text] for name, text in TEXTS.items()},
    },
    "imkit-badge.change": each("source") | each("count", source="a"),
    "imkit-badge.refuse": {},
    "chatsdk-user.delete": {},
}


def taking_a_body(site: Site) -> dict[str, tuple[str, str]]:
    """Each endpoint that may take a body, once, with a method and a path."""
    found = {}

    for rule in rules_of(site.sidecar.environ):
        methods = sorted((rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"})

        # PerformChat's key is in the body, even of a GET.
        if not methods and rule.endpoint.startswith("performchat-"):
            methods = ["GET"]

        if methods:
            path = re.sub("<[^>]*>", "x", rule.rule)
            found[rule.endpoint] = "PUT" if "PUT" in methods else methods[-1], path

    return found


def is_forwarded(endpoint: str) -> bool:
    blueprint = endpoint.partition(".")[0]
    return blueprint == "proxy" or blueprint.endswith(FORWARDING)


def test_no_body_holds_the_worker(site: Site) -> None:
    """A new endpoint gets the bodies for anything; it fails here until it has some of its own."""
    endpoints = taking_a_body(site)
    held: dict[str, float] = {}

    for endpoint, (method, path) in endpoints.items():
        for name, body in (ANYTHING | KNOWN.get(endpoint, {})).items():
            if isinstance(body, dict) and endpoint.startswith("performchat-"):
                body = body | site.halves  # noqa: PLW2901

            held[f"{endpoint}: {name}"] = site.held(method, path, body=body)

    assert {one for one in endpoints if not is_forwarded(one)} == set(KNOWN)
    assert {name: taken for name, taken in held.items() if taken > BUDGET} == {}


COMMAS = [f"Connection: {',' * 8_000}"] * 95

#: Heads that gunicorn refuses, or that are large and accepted.
HEADS: dict[str, list[str]] = {
    "lists": COMMAS,
    "accepted lists": COMMAS[:7],
    "lines": [":"] * 250_000,
    "small fields": ["a:"] * 250_000,
    "a user in JSON": ["userid: {"] + ["userid: " + "[]," * 2_600] * 7,
    "JWT": [f"Authorization: Bearer {'eyJ' * 2_600}"] + [f"User-Agent: {'eyJ' * 2_600}"] * 6,
}

TARGETS: dict[str, str] = {
    "slashes": "/" * 8_000,
    "folders": "a/" * 4_000,
    "dots": "./" * 4_000,
    "escapes": "%25" * 2_600,
    "escaped twice": "%2541" * 1_600,
    "parameters": "x?" + "a=&" * 2_600,
    "ids": "x?" + "clientId=a&" * 720,
    "ids in a list": "1," * 4_000,
    "filter": "x?q=" + quote('{"nickname":{"$in":[' + '"a",' * 1_000),
    "regex": "x?q=" + quote('{"nickname":{"$regex":"' + "a" * 2_500 + '","$options":"i"}}'),
}


def test_no_head_holds_the_worker(site: Site) -> None:
    held = {}

    for name, fields in HEADS.items():
        for path in ("/proxy/x", "/config?clientType=web", "/imkit/socket.io/?EIO=4"):
            request = get(path, "Connection: close", *fields)
            held[f"{name} to {path}"] = min_of(lambda: site.held_before(request))  # noqa: B023

    assert {name: taken for name, taken in held.items() if taken > BUDGET} == {}


def test_no_target_holds_the_worker(site: Site) -> None:
    places = {
        rule.rule.partition("<")[0] for rule in rules_of(site.sidecar.environ) if "<" in rule.rule
    } | {"/", "/imkit/admin/clients/x/token/"}
    held = {
        f"{name} below {place}": site.held("GET", (place + rest)[:8_100])
        for place in places
        for name, rest in TARGETS.items()
    }

    assert {name: taken for name, taken in held.items() if taken > BUDGET} == {}


WORDS = {
    "letters": b"a",
    "JWT": b"eyJ",
    "half of one": b"eyJaaaaa.",
    "quotes": b'"',
    "escapes": b"\\",
    "spaces": b" ",
    "binary": b"\xff",
    "lists": b"a,",
}
#: What stands where in an answer of 30 KB.
PLACES = {
    "status line": b"HTTP/1.1 200 %b\r\n\r\n",
    "no status line": b"%b\r\n\r\n",
    "version": b"HTTP/%b 200 OK\r\n\r\n",
    "field": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: %b\r\n\r\n",
    "name": b"HTTP/1.1 200 OK\r\n%b: a\r\n\r\n",
    "line": b"HTTP/1.1 200 OK\r\n%b\r\n\r\n",
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\n",
    "coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: %b\r\n\r\n",
    "connection": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: %b\r\n\r\n",
    "place": b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /%b\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n\r\n",
    "extension": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;%b\r\na\r\n0\r\n\r\n",
    "trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: %b\r\n\r\n",
}
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    f"{place} of {name}": answer % (word * (30_000 // len(word)))
    for place, answer in PLACES.items()
    for name, word in WORDS.items()
} | {
    "interim answers": b"HTTP/1.1 100 \r\n\r\n" * 50_000 + EMPTY,
    "fields": b"HTTP/1.1 200 OK\r\n" + b"a:\r\n" * 8_000 + b"\r\n",
    "folded lines": b"HTTP/1.1 200 OK\r\nA: b\r\n" + b" \r\n" * 8_000 + b"\r\n",
    "small chunks": CHUNKED + b"1\r\na\r\n" * 100_000 + b"0\r\n\r\n",
    "trailers": CHUNKED + b"0\r\n" + b"a: b\r\n" * 5_000 + b"\r\n",
}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_answer_of_a_provider_holds_the_worker(
    site: Site, canned: CannedUpstream, method: str
) -> None:
    held = {}

    for name, answer in ANSWERS.items():
        canned.answer = answer
        held[name] = site.held(method, "/proxy/x", body={} if method == "POST" else None)

    assert {name: taken for name, taken in held.items() if taken > BUDGET} == {}


def test_what_stays_is_left_out_of_garbage_collections(site: Site) -> None:
    """A full one looks at everything else: nothing that a request could be blamed for."""
    assert site.sidecar.reading("start")["frozen"] > 50_000


USERS = 100_000
#: Users whose metadata is as large as it may be, and takes longest to read and write.
LARGE = 100
LARGEST_CUSTOM = {str(one): one for one in range(5_200)}


@pytest.fixture(scope="module")
def crowded(site: Site) -> Site:
    """The site, with many users, and with badges of many clients in many sources."""
    path = site.sidecar.environ["DATABASE_URL"].removeprefix("sqlite:///")
    large = json.dumps(LARGEST_CUSTOM)
    user = "INSERT INTO users (id, app_id, external_id, name, image, email, custom, active,"
    user += " token_version, created, updated) VALUES (?, 'default', ?, ?, ?, ?, ?, 1, 0, ?, 0)"
    badge = "INSERT INTO badges VALUES ('default', ?, ?, ?)"

    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executemany(
            user,
            (
                (
                    f"u{one:08}",
                    str(one + 2),
                    f"J\u00f6rg {one}",
                    "https://a.example/a.png",
                    f"{one}@a.example",
                    large if one < LARGE else "{}",
                    one if one < LARGE else one * 7_919 % USERS + LARGE,
                )
                for one in range(USERS)
            ),
        )
        database.executemany(
            badge,
            (
                (f"c{client:04}", source, 7)
                for client in range(1_000)
                for source in ("badge", "imkit", *(f"s{one}" for one in range(98)))
            ),
        )

    return site


def test_no_listing_holds_the_worker(crowded: Site) -> None:
    def clients(where: Any, page: str = "limit=100") -> tuple[str, str, None]:
        return "GET", f"/imkit/admin/clients?{page}&q={quote(json.dumps(where))}", None

    def users(page: str, **where: str) -> tuple[str, str, Any]:
        return "GET", f"/rest/v1/customer-users?limit=100&{page}", crowded.halves | where

    def regex(text: str) -> dict[str, str]:
        return {"$regex": text, "$options": "i"}

    asked: dict[str, tuple[str, str, Any]] = {
        "badges": ("GET", "/imkit/badge", None),
        "500 badges": ("POST", "/imkit/badge", [f"c{one:04}" for one in range(500)]),
        "one badge": ("GET", "/imkit/me/badge", None),
        "clients": clients({}),
        "clients behind": clients({}, "limit=100&skip=99000"),
        "clients beyond": clients({}, "limit=100&skip=1000000"),
        "clients of a name": clients({"nickname": regex("rg 99")}),
        "clients of a beginning": clients({"nickname": regex("^j\u00d6rg")}),
        "clients of no name": clients({"nickname": regex("\u00f6" * 900)}),
        "clients of many names": clients({"nickname": {"$in": [str(one) for one in range(100)]}}),
        "users": users("page=1"),
        "users behind": users("page=990"),
        "users of an address": users("page=1", email="nobody@a.example"),
        "search": ("GET", "/imbachat/api/v1/search/j", None),
        "search in any case": ("GET", "/imbachat/api/v1/search/J%C3%96RG", None),
        "search for nobody": ("GET", f"/imbachat/api/v1/search/{'%C3%B6' * 1_300}", None),
        "users of ids": ("GET", f"/imbachat/users/{','.join(map(str, range(2, 1_600)))}", None),
        "many clients": (
            "POST",
            "/imkit/admin/clients/list",
            {"data": [{"_id": str(one + 2), "nickname": f"{time.time()}"} for one in range(LARGE)]},
        ),
    }
    held = {
        name: crowded.held(method, path, body=body) for name, (method, path, body) in asked.items()
    }

    assert {name: taken for name, taken in held.items() if taken > BUDGET} == {}
