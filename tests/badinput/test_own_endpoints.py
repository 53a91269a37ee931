"""`/token`, `/api-key`, `/config` and what is no endpoint: bad ids, bad headers, bad queries."""

import json
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import jwt
import pytest

from tests.badinput.conversation import error_message, rows, said_until_closed
from tests.canaries import API_KEY, API_SECRET, COOKIE, TEXT
from tests.sidecar import Sidecar
from tests.wire import ask, get, post

IDS = {
    "letters": ("alice", "alice"),
    "upper case": ("Alice", "Alice"),
    "every character": ("aZ09@_-", "aZ09@_-"),
    "digit": ("0", "0"),
    "255 characters": ("a" * 255, "a" * 255),
    "encoded letter": ("%61lice", "alice"),
    "encoded at sign": ("a%40b", "a@b"),
    "all encoded": ("%61%6c%69%63%65", "alice"),
    "with a query": (f"alice?a={TEXT}", "alice"),
    "name of an endpoint": ("token", "token"),
    "word of a database": ("DROP-TABLE-users--", "DROP-TABLE-users--"),
}

BAD_IDS = {
    "empty": "",
    "256 characters": "a" * 256,
    "8,000 characters": "a" * 8000,
    "encoded slash": "a%2fb",
    "encoded slash, upper case": "a%2Fb",
    "encoded slash alone": "%2f",
    "slash": "a/b",
    "slash behind": "alice/",
    "slash in front": "/alice",
    "NUL": "%00",
    "NUL behind": "alice%00",
    "NUL encoded twice": "alice%2500",
    "line end behind": "alice%0a",
    "encoded twice": "%2561lice",
    "at sign encoded twice": "a%2540b",
    "per cent": "100%25",
    "no escape": "%zz",
    "lone per cent": "alice%",
    "dot": ".",
    "dots": "..",
    "dots encoded": "%2e%2e",
    "dots encoded twice": "%252e%252e",
    "dot within": "a.b",
    "space": "a%20b",
    "plus": "a+b",
    "pipe": "auth0|abc",
    "pipe encoded": "auth0%7Cabc",
    "colon": "a:b",
    "comma": "a,b",
    "semicolon": "alice;x",
    "star": "*",
    "exclamation mark": "!anon",
    "quote": "a'b",
    "SQL": "a'%20OR%20'1'='1",
    "tag": "%3Cscript%3E",
    "backslash": "a%5cb",
    "fragment": "alice#b",
    "accent": "zo%C3%AB",
    "accent in Latin-1": "zo%EB",
    "Cyrillic that looks Latin": quote("\u0430lice"),
    "fullwidth": quote("\uff41lice"),
    "Arabic digits": quote("\u0663"),
    "Kelvin sign": quote("\u212a"),
    "emoji": quote("\U0001f600"),
    "half a surrogate pair": "%ed%a0%80",
    "raw bytes": "zo\xc3\xab",
    "zero width": quote("a\u200bb"),
}

STYLE = {
    "web": {
        "theme": {"primary": "#123456"},
        "authentication": {"userId": "admin", "userToken": "from the file"},
        "errors": {"title": "Sign in", "message": "Log in to use the chat"},
    },
    "mobile": {"authentication": None},
    "kiosk": {"errors": "closed", "note": "\u20ac"},
}

ANONYMOUS = {
    "no header": [],
    "empty": ["userid:"],
    "white space": ["userid:  \t "],
    "twice": ["userid: alice", "userid: bob"],
    "twice the same": ["userid: alice", "UserId: alice"],
    "underscore": ["user_id: alice"],
    "other header": ["miauserid: alice"],
    "pipe": ["userid: auth0|abc"],
    "slash": ["userid: a/b"],
    "space": ["userid: a b"],
    "comma": ["userid: a,b"],
    "256 characters": ["userid: " + "a" * 256],
    "8 kB": ["userid: " + "a" * 8000],
    "UTF-8": ["userid: Zo\xc3\xab"],
    "Latin-1": ["userid: Zo\xeb"],
    "JSON": ['userid: {"_id":"alice"}'],
    "no id at all": ["userid: ../../admin"],
    "in a cookie": [f"Cookie: userid=alice; a={COOKIE}"],
}

PROPERTIES = {
    "string": ('{"_id":"alice"}', "alice"),
    "white space within": ('  {"_id": " alice "} ', "alice"),
    "number": ('{"_id":7}', "7"),
    "number zero": ('{"_id":0}', "0"),
    "negative number": ('{"_id":-7}', "-7"),
    "other property in UTF-8": ('{"name":"Zo\xc3\xab \xe2\x82\xac","_id":"zoe"}', "zoe"),
    "escaped letter": ('{"_id":"\\u0061lice"}', "alice"),
    "twice": ('{"_id":"alice","_id":"bob"}', "bob"),
    "deep beside": ('{"a":[[[[{}]]]],"_id":"alice"}', "alice"),
    "list": ('[{"_id":"alice"}]', None),
    "JSON number": ("5", None),
    "JSON string": ('"alice"', None),
    "null": ("null", None),
    "NaN": ("NaN", None),
    "nothing": ("", None),
    "plain text": ("alice", None),
    "cut": ('{"_id":"alice"', None),
    "single quotes": ("{'_id':'alice'}", None),
    "property missing": ('{"id":"alice"}', None),
    "property in other case": ('{"_ID":"alice"}', None),
    "property null": ('{"_id":null}', None),
    "property true": ('{"_id":true}', None),
    "property empty": ('{"_id":""}', None),
    "property list": ('{"_id":["alice"]}', None),
    "property object": ('{"_id":{"_id":"alice"}}', None),
    "property with point": ('{"_id":1.5}', None),
    "property infinite": ('{"_id":1e400}', None),
    "number of 300 digits": ('{"_id":' + "9" * 300 + "}", None),
    "number of 5,000 digits": ('{"_id":' + "9" * 5000 + "}", None),
    "id in UTF-8": ('{"_id":"Zo\xc3\xab"}', None),
    "id with a pipe": ('{"_id":"google|abc"}', None),
    "id with half a surrogate pair": ('{"_id":"\\ud800"}', None),
    "id with NUL": ('{"_id":"alice\\u0000"}', None),
    "broken UTF-8": ('{"_id":"alice","name":"\xff"}', None),
    "8,000 levels of lists": ("[" * 8000, None),
    "1,600 levels of objects": ('{"a":' * 1600, None),
    "encoded": ("%7B%22_id%22%3A%22alice%22%7D", None),
    "base64": ("eyJfaWQiOiJhbGljZSJ9", None),
    "prefix to strip": ('{"_id":"auth0|abc"}', "abc"),
    "other prefix": ('{"_id":"saml|abc"}', "abc"),
    "both prefixes": ('{"_id":"auth0|saml|abc"}', None),
    "prefix only": ('{"_id":"auth0|"}', None),
    "prefix in other case": ('{"_id":"Auth0|abc"}', None),
    "prefix within": ('{"_id":"xauth0|abc"}', None),
}

LEVELS = {
    "all levels": ('{"user":{"ids":{"chat":"alice"}}}', "alice"),
    "number at the end": ('{"user":{"ids":{"chat":7}}}', "7"),
    "list between": ('{"user":[{"ids":{"chat":"alice"}}]}', None),
    "string between": ('{"user":{"ids":"chat"}}', None),
    "null between": ('{"user":null}', None),
    "one level short": ('{"user":{"ids":"alice"}}', None),
    "dotted name": ('{"user.ids.chat":"alice"}', None),
    "object at the end": ('{"user":{"ids":{"chat":{}}}}', None),
}


@pytest.fixture(scope="module")
def configured(upstream, sidecar_before, tmp_path_factory) -> Iterator[Callable[..., Sidecar]]:
    """Start a sidecar with the style document and further settings, once for each."""
    path = tmp_path_factory.mktemp("style") / "style.json"
    path.write_text(json.dumps(STYLE))
    started: dict[str, Sidecar] = {}

    def with_header(key: str, **settings: str) -> Sidecar:
        if key not in started:
            more = {"STYLE_CONFIG": str(path), "USERID_HEADER_KEY": key} | settings
            started[key] = sidecar_before(upstream.url, **more).__enter__()

        return started[key]

    yield with_header

    for running in started.values():
        running.__exit__()


def config(running: Sidecar, *lines: str, client_type: str = "web") -> dict:
    answer = ask(running.port, get(f"/config?clientType={client_type}", *lines))
    assert answer.status == 200, answer.body
    assert answer.header("cache-control") == "no-store"
    return dict(json.loads(answer.body))


def user_in(document: dict) -> str | None:
    """Return whose session the document holds; it has either that or the messages."""
    if "authentication" not in document:
        assert document["errors"]
        return None

    assert "errors" not in document
    authentication = document["authentication"]
    claims = jwt.decode(authentication["userToken"], API_SECRET, algorithms=["HS256"])
    assert claims["user_id"] == authentication["userId"]
    assert authentication["apiKey"] == API_KEY
    return str(claims["user_id"])


@pytest.mark.parametrize(("target", "user_id"), rows(IDS))
def test_token_is_made_for_the_id_decoded_once(sidecar, target, user_id):
    answer = ask(sidecar.port, get(f"/token/{target}"))
    body = json.loads(answer.body)
    claims = jwt.decode(body["token"], API_SECRET, algorithms=["HS256"])
    assert (answer.status, body["userId"], claims["user_id"]) == (201, user_id, user_id)
    assert answer.header("cache-control") == "no-store"
    assert claims["iat"] <= time.time()


@pytest.mark.parametrize("target", rows(BAD_IDS))
def test_token_is_refused_for_a_bad_id(sidecar, target):
    answer = ask(sidecar.port, get(f"/token/{target}"))
    assert answer.status == 400

    if target != "zo\xc3\xab":  # refused by the server in front
        assert "token" not in json.loads(answer.body)
        assert error_message(answer)


@pytest.mark.parametrize("target", ["/token", "/token?userId=alice", "/Token/alice", "/tokens/a"])
def test_token_at_another_path_is_404(sidecar, target):
    answer = ask(sidecar.port, get(target))
    assert answer.status == 404
    assert error_message(answer)


@pytest.mark.parametrize(
    "target", ["/", "/nothing", "/-/nothing", "/-", "/api-key/x", "/favicon.ico"]
)
def test_unknown_path_is_404_in_own_words(sidecar, target):
    answer = ask(sidecar.port, get(target))
    assert answer.status == 404
    assert error_message(answer)


@pytest.mark.parametrize("target", ["/token/alice", "/api-key", "/config?clientType=web"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_method_is_405_and_names_get(sidecar, target, method):
    answer = ask(sidecar.port, get(target, method=method))
    assert (answer.status, answer.header("allow")) == (405, "GET")
    assert error_message(answer)


def test_unread_body_ends_the_connection(sidecar):
    said = said_until_closed(sidecar.port, post("/api-key", get("/token/alice"), method="GET"))
    assert said.count(b"HTTP/1.1 ") == 1
    assert json.loads(said.partition(b"\r\n\r\n")[2]) == {"api_key": API_KEY}


def test_missing_host_is_refused_in_own_words(sidecar):
    answer = ask(sidecar.port, b"GET /token/alice HTTP/1.1\r\n\r\n")
    assert answer.status == 400
    assert "Host" in error_message(answer)


@pytest.mark.parametrize(
    "query", ["", "?", "?clientType", "?clientType=", "?clienttype=web", "?a=web"]
)
def test_config_without_a_client_type_is_400(sidecar, query):
    answer = ask(sidecar.port, get(f"/config{query}"))
    assert answer.status == 400
    assert "clientType" in error_message(answer)


def test_config_with_a_huge_client_type_is_400(sidecar):
    assert ask(sidecar.port, get(f"/config?clientType={'a' * 256}")).status == 400
    assert user_in(config(sidecar, client_type="a" * 255)) is None


@pytest.mark.parametrize(
    "client_type",
    [
        "unknown",
        "WEB",
        "web%00",
        "../web",
        "__proto__",
        "authentication",
        "%ff",
        "%zz",
        "web;",
        "[]",
    ],
)
def test_unknown_client_type_is_an_empty_object(configured, client_type):
    document = config(configured("userid"), "userid: alice", client_type=client_type)
    assert user_in(document) == "alice"
    assert set(document) == {"authentication"}


def test_first_of_two_client_types_counts(configured):
    document = config(configured("userid"), client_type=f"web&clientType=mobile&a={TEXT}")
    assert document["theme"] == {"primary": "#123456"}


@pytest.mark.parametrize("lines", rows(ANONYMOUS))
def test_caller_without_a_usable_id_is_anonymous(configured, lines):
    document = config(configured("userid"), *lines)
    assert user_in(document) is None
    assert document == {"theme": STYLE["web"]["theme"], "errors": STYLE["web"]["errors"]}


@pytest.mark.parametrize("name", ["userid", "UserId", "USERID"])
def test_caller_with_an_id_gets_a_session_of_its_own(configured, name):
    document = config(configured("userid"), f"{name}: \t alice ")
    assert user_in(document) == "alice"
    assert document["theme"] == STYLE["web"]["theme"]
    assert set(document["authentication"]) == {"apiKey", "userId", "userToken"}


def test_file_cannot_fake_a_session(configured):
    assert config(configured("userid"), client_type="mobile") == {
        "errors": {"title": "Not logged in", "message": "Log in to use the chat."}
    }
    assert config(configured("userid"), client_type="kiosk") == STYLE["kiosk"]


@pytest.mark.parametrize(("text", "user_id"), rows(PROPERTIES))
def test_json_header_gives_its_property_or_nobody(configured, text, user_id):
    running = configured("miauserproperties._id", USERID_STRIP_PREFIX="auth0|,saml|")
    assert user_in(config(running, f"miauserproperties: {text}")) == user_id


def test_json_header_sent_twice_is_nobody(configured):
    running = configured("miauserproperties._id", USERID_STRIP_PREFIX="auth0|,saml|")
    line = 'miauserproperties: {"_id":"alice"}'
    assert user_in(config(running, line, line)) is None


@pytest.mark.parametrize(("text", "user_id"), rows(LEVELS))
def test_property_is_found_through_every_level(configured, text, user_id):
    running = configured("x-user.user.ids.chat", ERROR_OBJ_KEY="errors")
    assert user_in(config(running, f"X-User: {text}")) == user_id


def test_messages_stand_under_the_name_that_is_set(configured):
    running = configured("x-id", ERROR_OBJ_KEY="theme")
    assert config(running) == {
        "errors": STYLE["web"]["errors"],
        "theme": {"primary": "#123456"},
    }
    assert "theme" not in config(running, "x-id: alice")
