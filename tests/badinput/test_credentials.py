"""Credentials of the caller's: taken out in every spelling, so that exactly ours arrive."""

import base64
import gzip
import json

import pytest

from tests.badinput.conversation import CREDENTIALS, keys_in, only_arrival, rows
from tests.canaries import API_KEY, BEARER, CANARIES, COOKIE, PASSWORD, SERVER_TOKEN
from tests.canaries import QUERY_KEY as KEY
from tests.wire import ask, get, post

USER_TOKEN = CANARIES["user token"]
BASIC = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
SECRETS = (KEY, BEARER, COOKIE, USER_TOKEN, BASIC)

QUERIES = {
    "once": (f"api_key={KEY}", ""),
    "twice": (f"api_key={KEY}&api_key={KEY}", ""),
    "ours": (f"api_key={API_KEY}", ""),
    "first": (f"api_key={KEY}&a=b", "a=b"),
    "last": (f"a=b&api_key={KEY}", "a=b"),
    "between": (f"a=b&api_key={KEY}&c=d", "a=b&c=d"),
    "around": (f"api_key={KEY}&a=b&api_key={KEY}", "a=b"),
    "upper case": (f"API_KEY={KEY}", ""),
    "mixed case": (f"Api_Key={KEY}&a=b", "a=b"),
    "without a value": ("api_key&a=b", "a=b"),
    "empty value": ("api_key=&a=b", "a=b"),
    "value with equal signs": (f"api_key=={KEY}==&a=b", "a=b"),
    "hyphen": (f"api-key={KEY}", ""),
    "encoded underscore": (f"api%5fkey={KEY}", ""),
    "encoded underscore, upper case": (f"api%5Fkey={KEY}", ""),
    "encoded letter": (f"%61pi_key={KEY}", ""),
    "encoded upper case letter": (f"%41pi_key={KEY}", ""),
    "all encoded": (f"%61%70%69%5f%6b%65%79={KEY}", ""),
    "encoded twice": (f"api%255fkey={KEY}", ""),
    "encoded three times": (f"%252561pi_key={KEY}", ""),
    "encoded hyphen": (f"api%2dkey={KEY}", ""),
    "list": (f"api_key[]={KEY}", ""),
    "list twice": (f"api_key[]={KEY}&api_key[]={KEY}", ""),
    "index": (f"api_key[0]={KEY}", ""),
    "property": (f"api_key[a]={KEY}&b", "b"),
    "list, encoded": (f"api_key%5B%5D={KEY}", ""),
    "list, half encoded": (f"api_key%5b]={KEY}", ""),
    "open bracket": (f"api_key[={KEY}", ""),
    "after a semicolon": (f"a=b;api_key={KEY}", "a=b"),
    "before a semicolon": (f"api_key={KEY};a=b", "a=b"),
    "both separators": (f"a=b;api_key={KEY}&c=d", "a=b&c=d"),
    "space in front": (f"%20api_key={KEY}", ""),
    "plus in front": (f"+api_key={KEY}", ""),
    "space behind": (f"api_key%20={KEY}", ""),
    "plus behind": (f"api_key+={KEY}&a", "a"),
    "tab behind": (f"api_key%09={KEY}", ""),
    "NUL behind": (f"api_key%00={KEY}", ""),
    "empty pairs": (f"&&api_key={KEY}&&", "&&&"),
    "question mark in the query": (f"a?api_key={KEY}", f"a?api_key={KEY}"),
    "secret": (f"api_secret={KEY}&a=b", "a=b"),
    "authorization": (f"authorization={BEARER}", ""),
    "Authorization": (f"Authorization=Bearer+{BEARER}", ""),
    "auth type": ("stream-auth-type=anonymous&a", "a"),
    "auth type with underscores": ("a&stream_auth_type=anonymous", "a"),
    "auth type encoded": ("stream%2dauth-type=anonymous", ""),
    "longer name": ("api_keys=a&my_api_key=b&api_key2", "api_keys=a&my_api_key=b&api_key2"),
    "as a value": ("a=api_key", "a=api_key"),
    "encoded ampersand in a value": ("a=b%26api_key%3dc", "a=b%26api_key%3dc"),
}

FIELDS = {
    "Authorization": [f"Authorization: {USER_TOKEN}"],
    "Bearer": [f"Authorization: Bearer {BEARER}"],
    "Basic": [f"Authorization: Basic {BASIC}"],
    "lower case": [f"authorization: {BEARER}"],
    "upper case": [f"AUTHORIZATION: {BEARER}"],
    "empty": ["Authorization:"],
    "two": [f"Authorization: {BEARER}", f"Authorization: {USER_TOKEN}"],
    "two of different case": [f"Authorization: {BEARER}", f"authorization: {USER_TOKEN}"],
    "Latin-1": [f"Authorization: Bearer {BEARER}\xe9"],
    "tab": [f"Authorization:\tBearer\t{BEARER}"],
    "8 kB": [f"Authorization: Bearer {BEARER}{'a' * 8000}"],
    "auth type": ["stream-auth-type: anonymous"],
    "auth type, other case": ["Stream-Auth-Type: anonymous"],
    "auth type, two": ["stream-auth-type: jwt", "Stream-Auth-Type: anonymous"],
    "auth type with underscores": ["stream_auth_type: anonymous"],
    "auth type, half": ["stream-auth_type: anonymous"],
    "key": [f"api-key: {KEY}"],
    "key with underscore": [f"api_key: {KEY}"],
    "key, upper case": [f"API-KEY: {KEY}"],
    "secret": [f"api-secret: {KEY}"],
    "secret with underscore": [f"api_secret: {KEY}"],
    "proxy": [f"Proxy-Authorization: Basic {BASIC}"],
    "cookie": [f"Cookie: session={COOKIE}"],
    "two cookies": [f"Cookie: a={COOKIE}", f"cookie: b={COOKIE}"],
    "all at once": [
        f"Authorization: Bearer {BEARER}",
        "stream-auth-type: anonymous",
        f"Cookie: a={COOKIE}",
    ],
}

NAMED = {
    "Authorization": "authorization",
    "all of ours": "authorization, stream-auth-type, api_key",
    "other case": "AUTHORIZATION, Stream-Auth-Type",
    "empty members": ",, authorization ,,stream-auth-type,",
    "framing": "authorization, content-length, transfer-encoding, host",
    "close as well": "close, authorization, stream-auth-type",
    "keep-alive as well": "keep-alive, authorization, accept-encoding",
}

BODIES = {
    "key in JSON": (json.dumps({"api_key": KEY}).encode(), "application/json"),
    "key twice in JSON": (f'{{"api_key":"{KEY}","api_key":"b"}}'.encode(), "application/json"),
    "key in a form": (f"api_key={KEY}".encode(), "application/x-www-form-urlencoded"),
    "key compressed": (gzip.compress(f'{{"api_key":"{KEY}"}}'.encode()), "application/json"),
}


@pytest.mark.parametrize(("query", "kept"), rows(QUERIES))
def test_every_spelling_of_a_key_is_replaced_by_ours(sidecar, upstream, query, kept):
    assert ask(sidecar.port, get(f"/proxy/app?{query}")).status == 200
    (entry,) = upstream.journal
    assert entry.target == f"/app?{CREDENTIALS}" + (f"&{kept}" if kept else "")
    assert "key" in kept or keys_in(entry.target) == [API_KEY]


@pytest.mark.parametrize("lines", rows(FIELDS))
def test_credential_in_a_field_is_replaced_by_ours(sidecar, upstream, lines):
    assert ask(sidecar.port, get(f"/proxy/app?api_key={KEY}", *lines)).status == 200
    head = only_arrival(upstream).head.decode("latin-1")
    assert not any(secret in head for secret in SECRETS)
    assert "anonymous" not in head


@pytest.mark.parametrize("named", rows(NAMED))
def test_connection_field_cannot_remove_ours(sidecar, upstream, named):
    lines = [f"Connection: {named}", f"Authorization: Bearer {BEARER}"]
    answer = ask(sidecar.port, post("/proxy/_sandbox/echo", b"hello", *lines))
    entry = only_arrival(upstream)
    assert (answer.status, entry.body, entry.values("content-length")) == (200, b"hello", ["5"])
    assert entry.values("host") == [f"127.0.0.1:{upstream.port}"]


@pytest.mark.parametrize(("body", "content_type"), rows(BODIES))
def test_key_in_a_body_is_left_to_the_provider(sidecar, upstream, body, content_type):
    """Bodies pass untouched; the provider reads its key from the query alone."""
    request = post(f"/proxy/_sandbox/echo?api_key={KEY}", body, f"Content-Type: {content_type}")
    assert ask(sidecar.port, request).status == 200
    assert only_arrival(upstream).body == body


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_exactly_ours_arrive_with_every_method(sidecar, upstream, method):
    lines = [f"Authorization: {USER_TOKEN}", "stream-auth-type: anonymous"]
    ask(sidecar.port, post(f"/proxy/_sandbox/echo?API%5FKEY={KEY}", b"{}", *lines, method=method))
    assert only_arrival(upstream).target == f"/_sandbox/echo?{CREDENTIALS}"


def test_client_name_and_its_ids_pass(sidecar, upstream):
    lines = ["X-Stream-Client: sdk-1.0", "x-client-request-id: 7", "x-stream-ext: a"]
    assert ask(sidecar.port, get("/proxy/app", *lines)).status == 200
    entry = only_arrival(upstream)
    assert entry.values("x-stream-client") == ["sdk-1.0"]
    assert entry.values("x-client-request-id") + entry.values("x-stream-ext") == ["7", "a"]


def test_provider_at_its_own_mount_gets_the_same(sidecar, upstream):
    ask(sidecar.port, get(f"/stream/proxy/app?api_key={KEY}&a=b", f"Authorization: {BEARER}"))
    assert only_arrival(upstream).target == f"/app?{CREDENTIALS}&a=b"


def test_environment_cannot_carry_the_secret_away(upstream, sidecar_before, tmp_path):
    """Neither netrc nor a proxy variable is obeyed: both would get our credentials."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    nobody = "http://127.0.0.1:9"
    proxies = {name: nobody for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}

    with sidecar_before(upstream.url, HOME=str(tmp_path), **proxies) as running:
        assert ask(running.port, get("/proxy/app")).status == 200
        only_arrival(upstream)
        assert ask(running.port, get("/-/check-up")).status == 200
        assert [entry.values("authorization") for entry in upstream.journal] == [[SERVER_TOKEN]] * 2


def test_credentials_of_one_caller_reach_no_other(sidecar, upstream):
    for number in range(3):
        lines = [f"Authorization: Bearer {BEARER}{number}", "X-Sandbox-Fault: set-cookie"]
        ask(sidecar.port, get(f"/proxy/app?api_key={KEY}{number}", *lines))

    assert [entry.target for entry in upstream.journal] == [f"/app?{CREDENTIALS}"] * 3
    assert all(entry.values("authorization") == [SERVER_TOKEN] for entry in upstream.journal)
    assert not any(entry.values("cookie") for entry in upstream.journal)
