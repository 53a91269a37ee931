"""Who may call, by the access document, at a real sidecar with every provider on."""

import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from chatproxy import settings
from chatproxy.access.patterns import segments_of
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from chatproxy.settings import OWN_ENDPOINTS
from chatproxy.web.access import MISSING
from chatproxy.web.explain import explain
from tests.access.samples import BACKEND, EVERY_CALL, NOBODY, OTHER, caller, write
from tests.badinput.canned import CannedUpstream
from tests.calls import Reply, call
from tests.directories import beside, make_key
from tests.everything import OFTEN, environ_before, everything
from tests.mounted import wait_for
from tests.sidecar import Sidecar, free_port
from tests.web.test_doors import APART, CLIENTS, SHAPES, SHARED, rules_of
from tests.wire import ask, get

KEY = f"X-Chatproxy-Key: {BACKEND}"
PLACEHOLDER = re.compile(r"<[^>]+>")
RULES = sorted(
    {
        (method, rule.rule)
        for rule in rules_of(APART)
        if rule.subdomain == "service" or rule.rule in SHARED
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS", "TRACE"}
        if not rule.endpoint.endswith(".refuse")
    }
)
FORWARDED = re.compile(r"(?:/[a-z]+)?/proxy/<|/imkit/<anything:path>")
ENDPOINTS = [one for one in RULES if not FORWARDED.match(one[1])]
#: An event brings a signature, and only one without needs a key: `tests.receiving.test_settings`.
RULES.remove(("POST", "/webhook/stream"))

PROBES = ("/-/healthz", "/-/ready")

#: May do a few things at Stream, and nothing else.
NARROW = caller(
    OTHER,
    providers=["stream"],
    calls=[
        {"methods": ["GET"], "paths": ["/users", "/channels/*/query", "/users/{user}"]},
        {"methods": ["POST", "PUT"], "paths": ["/channels/**"]},
        {"methods": ["*"], "paths": ["/app"]},
    ],
    endpoints=["/token", "/config"],
    users=["ann", "team-*"],
)
NARROW_KEY = f"X-Chatproxy-Key: {OTHER}"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("access") / "access.json"
    whole = caller(providers=list(SETTINGS), calls=EVERY_CALL, endpoints=["/"], users=["*"])
    write(path, backend=whole, narrow=NARROW)
    return path


@pytest.fixture(scope="module")
def guarded(
    provider: CannedUpstream,
    document: Path,
    output_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Sidecar]:
    output, folder = output_folder / "guarded.log", tmp_path_factory.mktemp("guarded")
    settings = {"ACCESS_CONFIG": str(document), "LOG_LEVEL": "trace"}

    with everything(provider.url, output, folder, **settings) as running:
        yield running


@pytest.fixture(autouse=True)
def _forget_heads(provider: CannedUpstream) -> None:
    provider.requests.clear()


def path_of(rule: str) -> str:
    return PLACEHOLDER.sub("ann", rule)


def shape_of(reply: Reply) -> set[str]:
    return set(reply.json)


def test_every_endpoint_of_services_can_be_named_in_the_document() -> None:
    """A new one belongs into `endpoints` of its provider's settings, or `OWN_ENDPOINTS`."""
    declared = {
        (one.partition(" ")[0], segments_of(one.partition(" ")[2]))
        for endpoints in (OWN_ENDPOINTS, *(one.endpoints for one in SETTINGS.values()))
        for one in endpoints
    }
    status = {
        ("GET", rule.rule)
        for rule in rules_of(APART)
        if rule.subdomain == "status" and rule.rule.rstrip("/") not in PROBES
    }
    served = {(method, segments_of(rule)) for method, rule in {*ENDPOINTS, *status}}

    assert served == declared


@pytest.mark.parametrize(("method", "rule"), RULES)
def test_what_services_call_needs_a_key_and_says_so_in_its_own_shape(
    guarded: Sidecar, provider: CannedUpstream, method: str, rule: str
) -> None:
    # A platform's key would not be enough, and without it some of these are for clients.
    reply = call(
        guarded.port, method, path_of(rule), "IM-API-KEY: x", "X-API-Key: x", body={"a": "b"}
    )

    assert reply.status == 401, reply.raw.body
    assert MISSING.encode() in reply.raw.body
    assert shape_of(reply) in SHAPES.values()
    assert reply.header("WWW-Authenticate") == 'Bearer realm="chatproxy"'
    assert provider.requests == []


@pytest.mark.parametrize(("method", "rule"), RULES)
def test_what_is_not_allowed_is_refused_before_anything_else_is_asked(
    guarded: Sidecar, provider: CannedUpstream, method: str, rule: str
) -> None:
    if rule.startswith(("/token/", "/config")):
        return  # the caller may use these

    reply = call(
        guarded.port, method, path_of(rule), NARROW_KEY, "IM-API-KEY: x", "X-API-Key: x", body=b"{"
    )

    assert reply.status == 403, reply.raw.body
    assert b"narrow may not make this call." in reply.raw.body
    assert shape_of(reply) in SHAPES.values()
    assert provider.requests == []


@pytest.mark.parametrize(("method", "rule"), RULES)
def test_with_a_key_the_route_asks_for_what_it_always_did(
    guarded: Sidecar, whole: Sidecar, method: str, rule: str
) -> None:
    fields = ("IM-API-KEY: x", "X-API-Key: x")
    with_key = call(guarded.port, method, path_of(rule), KEY, *fields, body={"a": "b"})
    without_document = call(whole.port, method, path_of(rule), *fields, body={"a": "b"})

    assert with_key.status == without_document.status


def test_what_only_platforms_may_call_is_a_services_whatever_it_brings(guarded: Sidecar) -> None:
    for path in ("/imkit/admin/rooms", "/imkit/ADMIN/rooms", "/imkit//admin/rooms"):
        assert MISSING.encode() in call(guarded.port, "GET", path).raw.body, path


@pytest.mark.parametrize("rule", sorted(CLIENTS))
def test_what_clients_call_needs_none(guarded: Sidecar, whole: Sidecar, rule: str) -> None:
    for method in ("GET", "POST"):
        reply = call(guarded.port, method, path_of(rule), body={})
        before = call(whole.port, method, path_of(rule), body={})
        assert reply.status == before.status
        assert MISSING.encode() not in reply.raw.body


def test_preflights_and_probes_need_none_and_the_rest_of_the_state_does(guarded: Sidecar) -> None:
    for path in ("/-/healthz", "/-/ready", "/-/ready/"):
        assert call(guarded.port, "GET", path).status == 200

    for path in ("/-/check-up", "/-/metrics", "/documentation/json"):
        assert call(guarded.port, "GET", path).status == 401
        assert call(guarded.port, "GET", path, NARROW_KEY).status == 403
        assert call(guarded.port, "GET", path, KEY).status != 401

    origin = ("Origin: https://a.example", "Access-Control-Request-Method: POST")
    assert b"key of a caller" not in call(guarded.port, "OPTIONS", "/api/x", *origin).raw.body


def test_the_state_is_open_at_a_door_of_its_own(
    provider: CannedUpstream, document: Path, output_folder: Path, tmp_path: Path
) -> None:
    doors = {"STATUS_PORT": str(free_port()), "CLIENT_PORT": str(free_port())}
    output = output_folder / "guarded-doors.log"

    with everything(
        provider.url, output, tmp_path, ACCESS_CONFIG=str(document), **doors
    ) as running:
        assert (
            b"key of a caller" not in call(int(doors["STATUS_PORT"]), "GET", "/-/check-up").raw.body
        )
        # At the service's door nobody is a client any more.
        assert call(running.port, "GET", "/imkit/rooms").status == 401
        assert MISSING.encode() in call(running.port, "GET", "/imkit/rooms").raw.body
        client = call(int(doors["CLIENT_PORT"]), "GET", "/imkit/rooms")
        assert b"Missing client key" in client.raw.body


@pytest.mark.parametrize(
    "given",
    [
        KEY,
        f"x-chatproxy-key:  {BACKEND} ",
        f"Authorization: Bearer {BACKEND}",
        f"Authorization: bearer   {BACKEND}",
        f"Authorization: {BACKEND}",
        f"stream-auth-type: {BACKEND}",
    ],
)
@pytest.mark.parametrize("path", ["/proxy/app", "/stream/proxy/app"])
def test_a_key_comes_in_each_of_these_ways_and_stays_here(
    guarded: Sidecar, provider: CannedUpstream, path: str, given: str
) -> None:
    assert call(guarded.port, "GET", path, given).status == 200
    assert BACKEND not in sent(provider)


@pytest.mark.parametrize("path", [f"/proxy/{name}" for name in ("app",)])
def test_in_a_query_it_stands_for_the_providers_key(
    guarded: Sidecar, provider: CannedUpstream, path: str
) -> None:
    assert call(guarded.port, "GET", f"{path}?a=b&api_key={BACKEND}").status == 200
    assert BACKEND not in sent(provider)
    assert "a=b" in sent(provider)
    # Nowhere else: what is in a query comes into the logs of what is between.
    assert call(guarded.port, "GET", f"/token/ann?api_key={BACKEND}").status == 401
    assert call(guarded.port, "GET", f"{path}?key={BACKEND}").status == 401


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/chatsdk/proxy/x", f"X-API-Key: {BACKEND}"),
        ("/imkit/proxy/x", f"IM-API-KEY: {BACKEND}"),
        ("/imkit/proxy/x", f"IM-Client-Key: {BACKEND}"),
        ("/imbachat/proxy/x", f"Authorization: {BACKEND}"),
        ("/performchat/proxy/x?keySecret=", None),
    ],
)
def test_it_stands_for_the_credential_of_each_provider(
    guarded: Sidecar, provider: CannedUpstream, path: str, given: str | None
) -> None:
    fields = () if given is None else (given,)
    target = path if given else path + BACKEND
    reply = call(guarded.port, "GET", target, *fields)

    assert reply.status == 200, reply.raw.body
    assert BACKEND not in sent(provider)


@pytest.mark.parametrize("name", SETTINGS)
def test_it_goes_to_no_provider_in_whatever_it_is_spelt(
    guarded: Sidecar, provider: CannedUpstream, name: str
) -> None:
    hidden = BACKEND.replace("_", "%5F"), BACKEND.replace("_", "%255f"), BACKEND
    queries = [f"x={one}" for one in hidden]
    reply = call(
        guarded.port,
        "GET",
        f"/{name}/proxy/x?a=b;{'&'.join(queries)};c=d",
        KEY,
        f"X-Other: Key {BACKEND}",
        *(f"X-Other-{n}: https://a.example/?key={one}" for n, one in enumerate(hidden)),
        f"Authorization: Bearer {BACKEND}",
    )

    assert reply.status == 200, reply.raw.body
    assert "cpk" not in sent(provider)
    assert "a=b" in sent(provider)
    assert "c=d" in sent(provider)
    assert call(guarded.port, "GET", f"/{name}/proxy/{BACKEND}", KEY).status == 400
    assert call(guarded.port, "GET", f"/{name}/proxy/x%2F{hidden[0]}", KEY).status == 400
    assert call(guarded.port, "GET", f"/{name}/proxy/x/{hidden[1]}", KEY).status == 400
    # Another caller's is none of the provider's business either.
    assert call(guarded.port, "GET", f"/{name}/proxy/{OTHER}", KEY).status == 400
    assert (
        call(guarded.port, "GET", f"/{name}/proxy/{OTHER}".replace("_", "%5F"), KEY).status == 400
    )


@pytest.mark.parametrize(
    "fields",
    [
        (KEY, f"Authorization: Bearer {OTHER}"),
        (KEY, f"X-Chatproxy-Key: {OTHER}"),
        (f"X-Chatproxy-Key: {BACKEND}, {NOBODY}",),
        (f"Authorization: {BACKEND}, {OTHER}",),
    ],
)
def test_two_different_keys_are_refused_and_the_same_twice_is_one(
    guarded: Sidecar, fields: tuple[str, ...]
) -> None:
    reply = call(guarded.port, "GET", "/proxy/app", *fields)

    assert reply.status == 400
    assert b"two different keys" in reply.raw.body
    assert call(guarded.port, "GET", f"/proxy/app?api_key={OTHER}", KEY).status == 400
    assert call(guarded.port, "GET", f"/proxy/app?api_key={BACKEND}", KEY, KEY).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        ("X-Chatproxy-Key:",),
        ("X-Chatproxy-Key: ,",),
        (f"X-Chatproxy-Key: {NOBODY}",),
        (f"X-Chatproxy-Key: Bearer {BACKEND}",),
        (f"X-Chatproxy-Key: {BACKEND}x",),
        (f"X-Chatproxy-Key: {BACKEND.upper()}",),
        (f"X_Chatproxy_Key: {BACKEND}",),
        (f"Authorization: Basic {BACKEND}",),
        (f"Authorization: Bearer x {BACKEND}",),
        (f"Authorization: Digest key={BACKEND}",),
        (f"Cookie: {BACKEND}",),
        (f"Proxy-Authorization: Bearer {BACKEND}",),
        ("X-Chatproxy-Key: \xe9\xff",),
        ("X-Chatproxy-Key: " + "cpk_" + "x" * 8000,),
    ],
)
def test_anything_else_is_no_key(
    guarded: Sidecar, provider: CannedUpstream, fields: tuple[str, ...]
) -> None:
    assert call(guarded.port, "GET", "/proxy/app", *fields).status == 401
    assert provider.requests == []


def payload(**fields: Any) -> str:
    return f"/proxy/users?payload={quote(json.dumps(fields))}"


#: Method and target, and whether the narrow caller may make the call.
SPELLINGS: list[tuple[str, str, bool]] = [
    ("GET", "/proxy/users", True),
    ("GET", "/stream/proxy/users", True),
    ("GET", "/proxy/users/", True),
    ("GET", "/proxy/%75sers", True),
    ("GET", "/proxy/users?a=b&_methodic=x", True),
    ("GET", "http://127.0.0.1/proxy/users", True),
    ("GET", "/proxy/users/ann", True),
    ("GET", "/proxy/users/team-1", True),
    ("GET", "/proxy/users/bob", False),
    ("GET", "/proxy/users?user_id=ann", True),
    ("GET", "/proxy/users?user_id=bob", False),
    ("GET", "/proxy/users?user_id=ann&user%5Fid=bob", False),
    ("GET", "/proxy/users?user_id=ann;user-id=bob", False),
    ("GET", "/proxy/users?user_id[]=bob", False),
    ("GET", "/proxy/users?user%255Fid=bob", False),
    ("GET", "/proxy/users?user_id=%2561nn", False),
    ("GET", payload(limit=1, user_id="ann"), True),
    ("GET", payload(user=None), True),
    ("GET", payload(user_id="bob"), False),
    ("GET", payload(User_ID="bob"), False),
    ("GET", payload(user_id=["bob"]), False),
    ("GET", payload(user={"id": "bob"}), False),
    ("GET", '/proxy/users?payload={"user_id":"ann","user_id":"bob"}', False),
    ("GET", "/proxy/users?payload={", False),
    ("POST", "/proxy/users", False),
    ("PUT", "/proxy/channels/x", True),
    ("PATCH", "/proxy/channels/x", False),
    ("DELETE", "/proxy/app", True),
    ("POST", "/proxy/channels/x?_method=DELETE", False),
    ("POST", "/proxy/channels/x?%5fmethod=DELETE", False),
    ("POST", "/proxy/channels/x?X-HTTP-Method-Override=DELETE", False),
    ("POST", "/proxy/app?_method=DELETE", True),
    ("GET", "/proxy/Users", False),
    ("GET", "/proxy//users", False),
    ("GET", "/proxy/users;x", False),
    ("GET", "/proxy/users%3Fx", False),
    ("GET", "/proxy/users%2F", False),
    ("GET", "/proxy/users%2Fann%2Fx", False),
    ("GET", "/proxy/channels/a%2Fb/query", False),
    ("GET", "/proxy/channels//query", False),
    ("GET", "/proxy/channels/x/query", True),
    ("GET", "/proxy/channels/%2e%2e/users", False),
    ("GET", "/proxy/channels/..;/users", False),
    ("GET", "/proxy/./users", False),
    ("GET", "/%70roxy/users", False),
    ("GET", "//proxy/users", False),
    ("GET", "/proxy/users%00", False),
    ("GET", "/proxy/users%5C", False),
    ("GET", "/proxy/", False),
    ("GET", "/chatsdk/proxy/users", False),
    ("GET", "/imkit/users", True),  # a client's call, which needs a client's key
    ("GET", "/token/ann", True),
    ("GET", "/%74oken/ann", True),
    ("GET", "/token/bob", False),
    ("GET", "/token/a%6En", True),
    ("GET", "/token/ann%2Fx", False),
    ("GET", "/config?clientType=web", True),
    ("GET", "/api-key", False),
    ("POST", "/webhook/verify", False),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target", "allowed"), SPELLINGS)
def test_no_spelling_opens_more_than_the_plain_one(
    guarded: Sidecar, provider: CannedUpstream, method: str, target: str, allowed: bool
) -> None:
    reply = call(guarded.port, method, target, NARROW_KEY)
    is_client = target == "/imkit/users"

    assert (reply.status in (200, 201)) is (allowed and not is_client), reply.raw.body
    assert reply.status < 500

    if not allowed:
        assert provider.requests == []


@pytest.fixture(scope="module")
def as_guarded(document: Path, provider: CannedUpstream) -> Flask:
    """The application that `guarded` serves, to be asked only."""
    environ = environ_before(provider.url) | {
        "ACCESS_CONFIG": str(document),
        "DATABASE_URL": "sqlite:////nonexistent/x.db",
    }
    return create_app(settings.load(SETTINGS, environ))


@pytest.mark.parametrize(("method", "target", "allowed"), SPELLINGS)
def test_explain_says_what_the_server_does(
    as_guarded: Flask, method: str, target: str, allowed: bool
) -> None:
    found = as_guarded.extensions["chatproxy"].access.callers["narrow"]

    assert explain(as_guarded, found, method, target).allowed is allowed


@pytest.fixture(scope="module")
def for_ann(provider: CannedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application with a caller who may act for one user only."""
    folder, whole = (
        tmp_path_factory.mktemp("ann"),
        {"providers": list(SETTINGS), "endpoints": ["/"]},
    )
    environ = environ_before(provider.url) | {
        "ACCESS_CONFIG": write(folder / "access.json", a=caller(users=["ann"], **whole)),
        "DATABASE_URL": "sqlite:////nonexistent/x.db",
        "CLIENT_PORT": str(free_port()),
    }
    return create_app(settings.load(SETTINGS, environ))


@pytest.mark.parametrize(
    ("target", "user", "allowed"),
    [
        ("/rest/v1/customer-users", None, False),
        ("/imkit/admin/clients", None, False),
        ("/imkit/badge", None, False),
        ("/imkit/badge/", None, False),
        ("/imkit/badge?clientId=ann", None, True),
        ("/imkit/badge?clientId=ann&clientId=bob", None, False),
        ("/imkit/badge/ann", None, True),
        ("/imkit/badge/bob", None, False),
        ("/imkit/me/badge", None, False),
        ("/imkit/me/badge", "ann", True),
        ("/imkit/me/badge", "bob", False),
    ],
)
def test_explain_knows_whom_an_endpoint_shows(
    for_ann: Flask, target: str, user: str | None, allowed: bool
) -> None:
    found = for_ann.extensions["chatproxy"].access.callers["a"]

    assert explain(for_ann, found, "GET", target, user).allowed is allowed


def test_a_field_that_changes_the_method_is_not_forwarded(
    guarded: Sidecar, provider: CannedUpstream
) -> None:
    names = (
        "X-HTTP-Method-Override",
        "X.HTTP.Method.Override",
        "X-Method-Override",
        "X-HTTP-Method",
    )
    fields = [f"{name}: DELETE" for name in names]
    assert call(guarded.port, "POST", "/proxy/channels/x", NARROW_KEY, *fields).status == 200
    assert "override" not in sent(provider).lower()
    assert sent(provider).startswith("POST /channels/x?")
    # In a form it would be in the body, which is not read.
    form = ("Content-Type: application/x-www-form-urlencoded",)
    body = b"_method=DELETE"
    path = "/proxy/channels/x"
    assert call(guarded.port, "POST", path, NARROW_KEY, *form, body=body).status == 403
    assert call(guarded.port, "POST", "/proxy/app", NARROW_KEY, *form, body=body).status == 200


def test_the_methods_case_counts(guarded: Sidecar, provider: CannedUpstream) -> None:
    assert call(guarded.port, "get", "/proxy/users", NARROW_KEY).status in (400, 405)
    assert call(guarded.port, "HEAD", "/proxy/users", NARROW_KEY).status == 405
    assert provider.requests == []


def test_nothing_of_a_body_is_read_for_a_caller_that_is_refused(guarded: Sidecar) -> None:
    """A gigabyte is announced and does not come; the answer does, and ends the connection."""
    for fields in ((), (NARROW_KEY,)):
        head = get(
            "/tokens", "Content-Length: 1000000000", "Content-Type: application/json", *fields,
            method="POST",
        )  # fmt: skip
        began = time.monotonic()
        answer = ask(guarded.port, head)

        assert answer.status == (403 if fields else 401)
        assert (answer.header("Connection") or "").lower() == "close"
        assert time.monotonic() - began < 10


def test_the_line_of_a_call_names_its_caller(guarded: Sidecar) -> None:
    answers = {
        "a-1": ("/proxy/app", KEY, 200, "backend"),
        "a-2": ("/proxy/messages/x", NARROW_KEY, 403, "narrow"),
        "a-3": ("/token/bob", NARROW_KEY, 403, "narrow"),
        "a-4": ("/-/check-up", NARROW_KEY, 403, "narrow"),
        "a-5": ("/proxy/app", f"X-Chatproxy-Key: {NOBODY}", 401, None),
    }

    for req_id, (path, key, status, _) in answers.items():
        assert call(guarded.port, "GET", path, key, f"x-request-id: {req_id}").status == status

    for req_id, (_, _, status, name) in answers.items():
        line = guarded.wait_for_line(req_id=req_id)
        assert line.get("caller") == name
        assert line["http"]["response"]["statusCode"] == status

    line = guarded.wait_for_line(req_id="a-2")
    assert line["error"]["type"] == "CallerNotAllowed"
    assert line["error"]["detail"] == "none of its calls is GET of this path at stream"


def test_no_key_is_in_the_log(guarded: Sidecar) -> None:
    call(guarded.port, "GET", f"/proxy/{BACKEND}", KEY, f"User-Agent: {BACKEND}", "x-request-id: k")
    call(guarded.port, "GET", f"/proxy/{NOBODY}", f"User-Agent: {NOBODY}")

    for escape in ("%5F", "%5f", "%255f"):
        call(
            guarded.port, "GET", f"/proxy/{BACKEND.replace('_', escape)}", KEY, "x-request-id: k-2"
        )

    guarded.wait_for_line(req_id="k")
    guarded.wait_for_line(req_id="k-2")
    output = guarded.output.read_text()

    assert "cpk_" not in output
    assert "key-of-the-backend" not in output


@pytest.fixture(scope="module")
def users(guarded: Sidecar, provider: CannedUpstream) -> dict[str, Any]:
    """Two users at each provider that knows users, and the keys that the endpoints want."""
    key = make_key(guarded.environ, "access")["apiKey"]
    key_id, _, secret = key.partition(".")
    body = {"keyId": key_id, "keySecret": secret}
    provider.says("HTTP/1.1 200 OK", "Content-Length: 8", body=b'{"RC":0}')
    ours = {}

    with beside(guarded.environ) as directory:
        directory.agents.create("agent", "default")

    for name in ("ann", "bob"):
        fields = (KEY, f"X-API-Key: {key}", f"IM-API-KEY: {key}")
        assert call(guarded.port, "POST", "/tokens", *fields, body={"userId": name}).status == 200
        made = call(guarded.port, "POST", "/imkit/admin/clients", *fields, body={"_id": name})
        assert made.status == 200, made.raw.body

        with beside(guarded.environ) as directory:
            user = directory.users.find("default", name)
            assert user is not None
            ours[name] = user.id

    return {"key": key, "body": body, "ours": ours}


#: For each endpoint that is about a user: what names the user, `ID` stands for it, `OUR` for ours.
ABOUT_USERS: list[tuple[str, str, Any]] = [
    ("GET", "/token/ID", None),
    ("GET", "/config?clientType=web#userid: ID", None),
    ("POST", "/tokens", {"userId": "ID"}),
    ("POST", "/api/auth/connect", {"userId": "ID"}),
    ("POST", "/api/users/ensure", {"userId": "ID"}),
    ("GET", "/api/users/ID", None),
    ("POST", "/api/users/ID/revoke-tokens", {}),
    ("DELETE", "/api/users/ID", None),
    ("POST", "/rest/v1/auth/token", {"userId": "ID"}),
    ("POST", "/rest/v1/auth/invalidate-token", {"customerUserId": "OUR"}),
    ("PUT", "/rest/v1/customer-users/OUR", {"name": "x"}),
    ("POST", "/imkit/admin/clients", {"_id": "ID"}),
    ("POST", "/imkit/admin/clients/list", {"data": [{"_id": "ann"}, {"_id": "ID"}]}),
    ("PUT", "/imkit/admin/clients/ID/token", {"token": "token-of-ID"}),
    ("DELETE", "/imkit/admin/clients/ID/token", {"token": "token-of-ID"}),
    ("GET", "/imkit/me#IM-CLIENT-ID: ID", None),
    ("POST", "/imkit/me#IM-CLIENT-ID: ID", {"nickname": "x"}),
    ("GET", "/imkit/me/badge#IM-CLIENT-ID: ID", None),
    ("GET", "/imkit/rooms#IM-CLIENT-ID: ID", None),
    ("GET", "/imkit/badge/ID", None),
    ("POST", "/imkit/badge/ID", {"source": "x", "count": 1}),
    ("GET", "/imkit/badge?clientId=ann&clientId=ID", None),
    ("POST", "/imkit/badge", ["ann", "ID"]),
    ("POST", "/users/ID/revoke-tokens", None),
    ("POST", "/guest", {"user": {"id": "ID"}}),
    ("POST", "/v1/tokens", {"userId": "ID", "providers": ["chatsdk"]}),
    ("GET", "/v1/users/ID", None),
    ("DELETE", "/v1/users/ID/tokens", None),
    ("GET", "/imbachat/token/ID", None),
    ("GET", "/imbachat/widget/ID", None),
]
#: What the provider is asked for, and the recorder answers nothing of use to.
ASKED_THERE = (
    *("/users/ID/revoke-tokens", "/guest"),
    *("/v1/users/ID", "/v1/users/ID/tokens"),
)
#: These show all users.
ABOUT_ALL = [
    ("GET", "/rest/v1/customer-users"),
    ("GET", "/imkit/admin/clients"),
    ("GET", "/imkit/badge"),
    ("GET", "/imkit/me/badge"),
]


@pytest.fixture
def bound(document: Path, guarded: Sidecar) -> Iterator[str]:
    """The key of a caller that may do everything for one user, and ImbaChat's is a number."""
    whole = {"providers": list(SETTINGS), "calls": EVERY_CALL, "endpoints": ["/"]}
    before = document.read_text()
    write(
        document,
        backend=caller(**whole, users=["*"]),
        bound=caller(OTHER, **whole, users=["ann", "7"]),
    )
    wait_for(lambda: call(guarded.port, "GET", "/proxy/x", NARROW_KEY).status == 200, within=30)
    yield NARROW_KEY
    document.write_text(before)
    wait_for(lambda: call(guarded.port, "GET", "/proxy/x", NARROW_KEY).status == 403, within=30)


def test_a_caller_acts_for_its_users_only(
    guarded: Sidecar, provider: CannedUpstream, users: dict[str, Any], bound: str
) -> None:
    tried = set()

    for method, path, body in ABOUT_USERS:
        tried.add((method, path.partition("?")[0].partition("#")[0]))
        allowed, refused = ("7", "8") if path.startswith("/imbachat") else ("ann", "bob")

        for name in (refused, allowed):
            reply = ask_about(guarded, users, bound, method, path, body, name)
            what = (method, path, name, reply.status, reply.raw.body)
            assert (b"may not" in reply.raw.body) is (name == refused), what
            assert (reply.status == 403) is (name == refused), what
            served = (502,) if path in ASKED_THERE else (200, 201)
            assert name == refused or reply.status in served, what

    for method, path in ABOUT_ALL:
        tried.add((method, path))
        fields = (f"IM-API-KEY: {users['key']}",)
        reply = call(guarded.port, method, path, bound, *fields, body=users["body"])
        assert reply.status == 403, (path, reply.raw.body)

    # Whom it names, it must name to the IMKit server too.
    provider.requests.clear()
    fields = (f"IM-API-KEY: {users['key']}", "IM-CLIENT-ID: ann", "Connection: IM-CLIENT-ID")
    assert call(guarded.port, "GET", "/imkit/me/badge", bound, *fields).status == 200
    assert "im-client-id: ann\r\n" in sent(provider).lower()
    # Some servers take this for the same field.
    fields = (f"IM-API-KEY: {users['key']}", "Im.Client.Id: bob")
    assert call(guarded.port, "GET", "/imkit/rooms", bound, *fields).status == 403

    # Every endpoint is about users, but for those that say nothing of any.
    of_nobody = {"/api-key", "/rest/v1/agents", "/rest/v1/agents/<agent_id>"}
    of_nobody |= {"/webhook/stream", "/webhook/verify"}
    named = {(m, segments_of(p.replace("ID", "<i>").replace("OUR", "<i>"))) for m, p in tried}
    assert {
        (method, segments_of(rule))
        for method, rule in ENDPOINTS
        if rule not in of_nobody and not rule.startswith("/documentation")
    } <= named


def ask_about(
    guarded: Sidecar,
    users: dict[str, Any],
    bound: str,
    method: str,
    path: str,
    body: Any,
    name: str,
) -> Reply:
    """Make a call for one user, with whatever else it needs."""

    def of(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("ID", name).replace("OUR", users["ours"].get(name, ""))

        if isinstance(value, list):
            return [of(one) for one in value]

        if isinstance(value, dict):
            return {key: of(one) for key, one in value.items()}

        return value

    target, _, field = path.replace("IM-CLIENT-ID", "IM-CLIENT-\0").partition("#")
    fields = [bound, f"X-API-Key: {users['key']}", f"IM-API-KEY: {users['key']}"]
    fields += [of(field).replace("\0", "ID")] if field else []
    sent = body if body is None else of(body)

    if path.startswith("/rest"):
        sent = users["body"] | sent

    return call(guarded.port, method, of(target), *fields, body=sent)


def sent(provider: CannedUpstream) -> str:
    ((_, head),) = provider.requests
    return head.decode("latin-1")


LIMITED = caller(providers=["stream"], calls=EVERY_CALL, limit="3 per minute")


@pytest.mark.parametrize("where", ["memory", "redis"])
def test_a_callers_own_limit(
    provider: CannedUpstream,
    output_folder: Path,
    tmp_path: Path,
    where: str,
) -> None:
    """It is there for a sidecar that has no directory, too."""
    name = "a"
    path = write(tmp_path / "access.json", a=LIMITED, b=caller(OTHER, **FULL))
    environ = {
        name: value
        for name, value in environ_before(provider.url).items()
        if name.startswith("STREAM_")
    } | {"ACCESS_CONFIG": path}

    if where == "redis":
        url = os.environ.get("TEST_REDIS_URL")
        environ["REDIS_URL"] = url or pytest.skip("TEST_REDIS_URL names no Redis server")
        # A name of its own: the counts of an earlier run are still there.
        name = f"a-{uuid.uuid4().hex[:8]}"
        path = write(tmp_path / "access.json", **{name: LIMITED, "b": caller(OTHER, **FULL)})

    with Sidecar(output_folder / f"limited-{where}.log", environ) as running:
        answers = [call(running.port, "GET", "/proxy/x", KEY) for _ in range(5)]
        assert [one.status for one in answers] == [200, 200, 200, 429, 429]
        last = answers[-1]
        assert 0 < int(last.header("Retry-After") or 0) <= 60
        assert last.header("X-RateLimit-Limit") == "3"
        assert last.json["code"] == 9
        assert call(running.port, "GET", "/proxy/x", NARROW_KEY).status == 200
        line = running.wait_for_line(status=429)
        assert (line["caller"], line["error"]["type"]) == (name, "CallerLimited")


FULL = {"providers": ["stream"], "calls": EVERY_CALL}


def test_bad_keys_are_counted_and_good_ones_let_in(
    provider: CannedUpstream, output_folder: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "access.json", a=caller(**FULL))
    environ = environ_before(provider.url) | {
        "PROVIDERS": "stream",
        "ACCESS_CONFIG": path,
        "AUTH_FAILURE_LIMIT": "3 per minute",
    }

    with Sidecar(output_folder / "guessed.log", environ) as running:
        paths = ["/proxy/x", "/token/ann", "/api-key", "/proxy/x", "/webhook/verify"]
        bad = [
            call(running.port, "GET", one, f"X-Chatproxy-Key: {NOBODY}{n}")
            for n, one in enumerate(paths[:4])
        ]
        assert [one.status for one in bad] == [401, 401, 401, 429]
        assert bad[-1].header("Retry-After")
        assert call(running.port, "GET", "/proxy/x", KEY).status == 200
        # Whoever shows none guesses nothing.
        assert call(running.port, "GET", "/proxy/x").status == 401


def test_a_swap_under_way_and_all_workers(
    provider: CannedUpstream, output_folder: Path, tmp_path: Path
) -> None:
    """Each call is decided by one document, and after a moment by the new one at every worker."""
    path = tmp_path / "access.json"
    write(path, a=caller(**FULL))
    new = caller(OTHER, **FULL, endpoints=["/-/check-up"])
    environ = environ_before(provider.url) | {
        "PROVIDERS": "stream",
        "ACCESS_CONFIG": str(path),
        "AUTH_FAILURE_LIMIT": OFTEN,
        "WORKERS": "2",
    }

    with Sidecar(output_folder / "swapped.log", environ) as running:
        seen: list[tuple[int, int]] = []

        def is_swapped() -> bool:
            pair = (
                call(running.port, "GET", "/proxy/x", KEY).status,
                call(running.port, "GET", "/proxy/x", NARROW_KEY).status,
            )
            seen.append(pair)
            return pair == (401, 200)

        assert not is_swapped()
        write(path, b=new)
        wait_for(is_swapped, within=30)
        assert set(seen) <= {(200, 401), (401, 200), (200, 200)}
        # Every worker: none of many calls is served by the old one.
        assert {call(running.port, "GET", "/proxy/x", KEY).status for _ in range(40)} == {401}

        path.write_text('{"callers": {"b": ')
        wait_for(lambda: "config" in call(running.port, "GET", "/-/ready").json, within=30)
        fault = call(running.port, "GET", "/-/ready").json["config"]["fault"]
        assert "ACCESS_CONFIG" in fault
        assert call(running.port, "GET", "/proxy/x", NARROW_KEY).status == 200
        assert any(
            "changed settings refused" in line["msg"] and "ACCESS_CONFIG" in str(line["config"])
            for line in running.lines()
        )


def test_a_root_port_is_under_the_same_rules(
    provider: CannedUpstream, document: Path, output_folder: Path
) -> None:
    root = free_port()
    environ = {
        name: value
        for name, value in environ_before(provider.url).items()
        if name.startswith("STREAM_")
    }
    only_stream = document.with_name("stream.json")
    write(only_stream, narrow=NARROW)
    environ |= {"ACCESS_CONFIG": str(only_stream), "STREAM_ROOT_PORT": str(root)}

    with Sidecar(output_folder / "guarded-root.log", environ):
        assert call(root, "GET", "/users").status == 401
        assert call(root, "GET", "/users", NARROW_KEY).status == 200
        assert call(root, "GET", f"/users?api_key={OTHER}").status == 200
        assert call(root, "GET", "/messages", NARROW_KEY).status == 403
        assert call(root, "GET", "//users", NARROW_KEY).status == 403


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("/chat/token/ann", True),
        ("/chat/documentation/json", True),
        ("/-/check-up", True),
        ("/chat/proxy/users", True),
        ("/chat/stream/proxy/users", True),
        ("/chat/proxy/chat/users", False),
        ("/chat/api-key", False),
        ("/token/ann", False),
    ],
)
def test_patterns_know_nothing_of_the_prefix(tmp_path: Path, target: str, allowed: bool) -> None:
    fields = {
        "providers": ["stream"],
        "calls": [{"methods": ["GET"], "paths": ["/users"]}],
        "endpoints": ["/token", "/documentation/json", "/-/check-up"],
        "users": ["*"],
    }
    environ = {
        "STREAM_API_KEY": "key",
        "STREAM_API_SECRET": "s" * 40,
        "SERVICE_PREFIX": "/chat",
        "ACCESS_CONFIG": write(tmp_path / "access.json", a=caller(**fields)),
    }
    app = create_app(settings.load(SETTINGS, environ))
    found = app.extensions["chatproxy"].access.callers["a"]

    assert explain(app, found, "GET", target).allowed is allowed
