"""`/v1`: one person at all five providers, by one call, over real sockets."""

import json
import time
from datetime import datetime
from typing import Any

import jwt
import pytest
import requests

from chatproxy.providers import SETTINGS
from sandbox.imbachat import SECRET_KEY
from sandbox.stream import API_KEY
from tests import commands
from tests.calls import Reply, call
from tests.web.v1.conftest import Everybody

LIMIT = "X-RateLimit-Limit"
IMKIT_TOKENS = "/admin/clients/*/token"


def statuses(reply: Reply) -> dict[str, str]:
    return {name: one["status"] for name, one in reply.json["providers"].items()}


def is_good_at_stream(everybody: Everybody, token: str) -> bool:
    answer = requests.get(
        f"{everybody.stream.url}/users",
        params={"api_key": API_KEY, "payload": "{}"},
        headers={"Authorization": token, "stream-auth-type": "jwt"},
        timeout=5,
    )
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


def good(everybody: Everybody, given: dict[str, Any]) -> dict[str, bool]:
    """Whether each provider takes the token that it gave, as its clients would find out."""
    port = everybody.port
    tokens = {name: one["token"] for name, one in given.items() if "token" in one}

    def bearing(path: str, token: str, method: str = "GET") -> bool:
        return call(port, method, path, f"Authorization: Bearer {token}").status == 200

    asked = {
        "stream": lambda token: is_good_at_stream(everybody, token),
        "chatsdk": lambda token: bearing("/tokens/validate", token),
        "performchat": lambda token: bearing("/rest/v1/auth/verify", token, "POST"),
        "imkit": lambda token: (
            call(port, "POST", "/imkit/verify", body={"token": token}).status == 200
        ),
        "imbachat": lambda token: bool(jwt.decode(token, SECRET_KEY, algorithms=["HS256"])),
    }
    return {name: asked[name](token) for name, token in tokens.items()}


def test_a_person_gets_a_token_of_each(everybody: Everybody) -> None:
    reply = everybody.give("42", name="Ann", custom={"shoe": 38})
    said = reply.json

    assert reply.status == 200, reply.raw.body
    assert reply.header("Cache-Control") == "no-store"
    assert reply.header(LIMIT) == "100000"
    assert (said["userId"], said["complete"]) == ("42", True)
    assert list(said["providers"]) == list(SETTINGS)
    assert set(statuses(reply).values()) == {"issued"}
    assert good(everybody, said["providers"]) == dict.fromkeys(SETTINGS, True)

    # The same person everywhere.
    with everybody.stream.app.state.lock:
        user = everybody.stream.app.state.users["42"]
        assert (user["name"], user["custom"]) == ("Ann", {"shoe": 38})

    shown = everybody.with_key("GET", "/api/users/42").json["user"]
    assert (shown["id"], shown["name"], shown["custom"]) == ("42", "Ann", {"shoe": 38})

    with everybody.imkit.lock:
        assert everybody.imkit.clients["42"]["nickname"] == "Ann"
        assert everybody.imkit.tokens[said["providers"]["imkit"]["token"]][0] == "42"


def test_each_says_what_its_client_needs_and_when_it_ends(everybody: Everybody) -> None:
    before = time.time()
    given = everybody.give("43").json["providers"]
    lives = {
        name: None
        if one["expiresAt"] is None
        else datetime.fromisoformat(one["expiresAt"]).timestamp() - before
        for name, one in given.items()
    }

    # Stream's have no end unless one is set.
    assert lives.pop("stream") is None
    assert {name: round((life or 0) / 3600) for name, life in lives.items()} == {
        "chatsdk": 24,
        "performchat": 24,
        "imkit": 168,
        "imbachat": 7,
    }
    connect = {name: one["connect"] for name, one in given.items()}
    assert connect["stream"] == {"apiKey": API_KEY, "baseUrl": everybody.stream.url}
    assert connect["chatsdk"] == {
        "appId": "default",
        "wsUrl": "wss://ws.example/connection",
        "path": "/api",
    }
    assert connect["performchat"]["agentId"] == "agent_abc"
    assert connect["imkit"] == {
        "clientId": "43",
        "path": "/imkit",
        "socketPath": "/imkit/socket.io",
    }
    assert connect["imbachat"]["userId"] == 43
    assert connect["imbachat"]["scriptUrl"].endswith("/widget")
    assert given["chatsdk"]["wsToken"] not in ("", given["chatsdk"]["token"])


def test_only_those_that_are_named(everybody: Everybody) -> None:
    reply = everybody.give("44", providers=["chatsdk", "stream"])

    assert reply.status == 200
    assert statuses(reply) == {"chatsdk": "issued", "stream": "issued"}
    # Nothing was said about the person, so Stream was not asked.
    assert list(everybody.stream.journal) == []


def test_an_id_that_one_provider_cannot_have_fails_no_other(everybody: Everybody) -> None:
    reply = everybody.give("alice")

    assert reply.status == 207
    assert reply.json["complete"] is False
    assert "errorMsg" not in reply.json
    assert statuses(reply) == dict.fromkeys(SETTINGS, "issued") | {"imbachat": "refused"}
    refused = reply.json["providers"]["imbachat"]
    assert refused["code"] == 400
    assert "whole number" in refused["errorMsg"]
    assert "token" not in refused


def test_where_nobody_gives_one_it_is_no_success(everybody: Everybody) -> None:
    reply = everybody.give("alice", providers=["imbachat"])

    assert reply.status == 400
    assert reply.json["errorMsg"].startswith("imbachat: A user id is a whole number")
    assert statuses(reply) == {"imbachat": "refused"}


@pytest.mark.parametrize("user_id", ["ünï", "a/b", "a b", "auth0|1", "日本"])
def test_ids_of_any_script(everybody: Everybody, user_id: str) -> None:
    reply = everybody.give(user_id)

    assert reply.status == 207
    assert statuses(reply) == {
        "stream": "refused",
        "chatsdk": "issued",
        "performchat": "issued",
        "imkit": "issued",
        "imbachat": "refused",
    }
    known = everybody.show(user_id)
    assert (known.status, known.json["userId"]) == (200, user_id)
    ended = everybody.end(user_id)
    assert (ended.status, ended.json["complete"]) == (200, True)
    assert statuses(ended)["stream"] == "unknown"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "userId: "),
        ({"userId": ""}, "userId: "),
        ({"userId": None}, "userId: "),
        ({"userId": 7}, "userId: "),
        ({"userId": "x" * 256}, "userId: "),
        ({"userId": "a\0"}, "userId: "),
        ({"userId": "45", "name": 7}, "name: "),
        ({"userId": "45", "image": "javascript:alert(1)"}, "image: "),
        ({"userId": "45", "custom": []}, "custom: "),
        ({"userId": "45", "custom": {"x": "x" * 70_000}}, "custom: "),
        ({"userId": "45", "providers": "stream"}, "providers: "),
        ({"userId": "45", "providers": []}, "providers: "),
        ({"userId": "45", "providers": {}}, "providers: "),
        ({"userId": "45", "providers": [7]}, "providers.0: "),
        ({"userId": "45", "providers": [None]}, "providers.0: "),
        (
            {"userId": "45", "providers": ["stream", "matrix"]},
            "providers: matrix is not known. The",
        ),
        ({"userId": "45", "providers": ["Stream"]}, "providers: Stream is not known. The"),
        ({"userId": "45", "providers": ["stream", "stream"]}, "providers: stream is there twice"),
        ({"userId": "45", "providers": ["stream"] * 101}, "providers: "),
        ([], ""),
        (b"{", "The body must be a JSON object"),
        (b"", "The body must be a JSON object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_body_gives_nothing(everybody: Everybody, body: Any, says: str) -> None:
    reply = call(everybody.port, "POST", "/v1/tokens", body=body)

    assert reply.status == 400
    assert list(reply.json) == ["errorMsg"]
    assert reply.json["errorMsg"].startswith(says)
    assert everybody.show("45").status == 404


@pytest.mark.parametrize("name", ["role", "revoke_tokens_issued_before", "teams"])
def test_nobody_becomes_an_administrator_by_custom_fields(everybody: Everybody, name: str) -> None:
    """Stream alone has such a field, and in its interface it lies beside the company's own."""
    reply = everybody.give("46", custom={name: "admin"}, providers=["stream", "chatsdk"])

    assert reply.status == 207
    assert statuses(reply) == {"stream": "refused", "chatsdk": "issued"}
    assert name in reply.json["providers"]["stream"]["errorMsg"]
    assert list(everybody.stream.journal) == []


#: A fault of one provider's server, what that gives, and what all of it is.
FAULTS = [
    ("stream", "status=500", 502),
    ("stream", "status=429", 503),
    ("stream", "never", 504),
    ("imkit", "status=500", 502),
    ("imkit", "reset", 502),
]


@pytest.mark.parametrize(("name", "fault", "status"), FAULTS)
def test_one_that_fails_keeps_no_other_and_is_no_success(
    everybody: Everybody, name: str, fault: str, status: int
) -> None:
    getattr(everybody, name).faults.next(fault, path="/users" if name == "stream" else "/admin/*")
    reply = everybody.give("47", name="Ed")

    assert reply.status == status, reply.raw.body
    assert reply.json["complete"] is False
    assert name in reply.json["errorMsg"]
    assert statuses(reply) == dict.fromkeys(SETTINGS, "issued") | {name: "failed"}
    failed = reply.json["providers"][name]
    assert failed["code"] == status
    assert "token" not in failed
    assert reply.header("Retry-After") == ("60" if status == 503 else None)
    # What the others gave is good.
    assert set(good(everybody, reply.json["providers"]).values()) == {True}


def test_all_tokens_of_a_person_are_ended_everywhere(everybody: Everybody) -> None:
    given = everybody.give("48").json["providers"]
    others = everybody.give("49").json["providers"]
    assert good(everybody, given) == dict.fromkeys(SETTINGS, True)

    reply = everybody.end("48")

    # ImbaChat has no way to end one: it is said, and until when.
    assert reply.status == 207
    assert reply.json["complete"] is False
    assert statuses(reply) == dict.fromkeys(SETTINGS, "ended") | {"imbachat": "notEnded"}
    assert good(everybody, given) == dict.fromkeys(SETTINGS, False) | {"imbachat": True}
    assert good(everybody, others) == dict.fromkeys(SETTINGS, True)
    left = reply.json["providers"]["imbachat"]
    until = datetime.fromisoformat(left["validUntil"]).timestamp()
    ends = jwt.decode(given["imbachat"]["token"], SECRET_KEY, algorithms=["HS256"])["exp"]
    assert until >= ends
    assert left["reason"]
    assert everybody.centrifugo.disconnected == ["48"]

    with everybody.imkit.lock:
        assert given["imkit"]["token"] not in everybody.imkit.tokens


def test_where_all_are_ended_it_is_200(everybody: Everybody) -> None:
    """A token that was never used is ended as well: Stream is told of its user first."""
    given = everybody.give("bea").json["providers"]
    assert is_good_at_stream(everybody, given["stream"]["token"])
    reply = everybody.end("bea")

    assert reply.status == 200
    assert reply.json["complete"] is True
    assert statuses(reply) == dict.fromkeys(SETTINGS, "ended") | {"imbachat": "unknown"}
    assert not any(good(everybody, given).values())


#: Whose server fails how, and what is then said.
ENDING = [
    ("stream", "status=500", "/users", 502),
    ("stream", "status=400", "/users", 502),
    ("stream", "never", "/users", 504),
    ("imkit", "status=500", IMKIT_TOKENS, 502),
    ("centrifugo", "status=500", "/api/disconnect", 502),
]


@pytest.mark.parametrize(("name", "fault", "path", "status"), ENDING)
def test_an_end_that_failed_somewhere_is_no_success_and_can_be_repeated(
    everybody: Everybody, name: str, fault: str, path: str, status: int
) -> None:
    user_id = f"cleo-{name}-{status}"
    given = everybody.give(user_id).json["providers"]
    getattr(everybody, name).faults.next(fault, path=path)
    reply = everybody.end(user_id)
    failed = "chatsdk" if name == "centrifugo" else name

    assert reply.status == status, reply.raw.body
    assert failed in reply.json["errorMsg"]
    wanted = dict.fromkeys(SETTINGS, "ended") | {"imbachat": "unknown", failed: "failed"}
    assert statuses(reply) == wanted

    again = everybody.end(user_id)
    assert again.status == 200, again.raw.body
    assert not any(good(everybody, given).values())


def test_the_end_of_nobody(everybody: Everybody) -> None:
    """Whether a token of Stream's was made for somebody, nobody knows: it is ended in any case."""
    reply = everybody.end("never-seen")

    assert reply.status == 200
    assert statuses(reply) == dict.fromkeys(SETTINGS, "unknown") | {"stream": "ended"}


@pytest.mark.parametrize("name", ["stream", "chatsdk", "imkit"])
def test_a_command_ends_them_at_one_provider_as_that_has_it(
    everybody: Everybody, name: str
) -> None:
    user_id = f"dora-{name}"
    given = everybody.give(user_id, name="Dora").json["providers"]
    arguments = ("--provider", name, "--user", user_id)
    said = commands.answer(everybody.house.sidecar.environ, "token", "revoke", *arguments)

    assert (said["revoked"], said["provider"], said["userId"]) == (True, name, user_id)
    assert good(everybody, {name: given[name]}) == {name: False}
    assert everybody.centrifugo.disconnected == ([user_id] if name == "chatsdk" else [])

    if name == "imkit":
        with everybody.imkit.lock:
            assert given[name]["token"] not in everybody.imkit.tokens


def test_who_somebody_is(everybody: Everybody) -> None:
    everybody.give("50", name="Fay", image="https://a.example/1.png", custom={"x": 1})
    reply = everybody.show("50")
    said = reply.json

    assert reply.status == 200
    assert reply.header("Cache-Control") == "no-store"
    assert said["directory"] | {"created": 0, "updated": 0, "lastSeen": 0} == {
        "app": "default",
        "name": "Fay",
        "image": "https://a.example/1.png",
        "email": None,
        "custom": {"x": 1},
        "created": 0,
        "updated": 0,
        "lastSeen": 0,
    }
    assert set(statuses(reply).values()) == {"known"}
    user = said["providers"]["stream"]["user"]
    assert (user["id"], user["name"], user["role"]) == ("50", "Fay", "user")
    assert said["providers"]["performchat"]["customerUserId"]


def test_nobody_is_404(everybody: Everybody) -> None:
    reply = everybody.show("51")

    assert reply.status == 404
    assert reply.json["errorMsg"] == "Nobody has this id at any provider."
    assert reply.json["directory"] is None


def test_who_somebody_is_cannot_be_told_by_a_part(everybody: Everybody) -> None:
    everybody.give("52", name="Gil")
    everybody.stream.faults.next("status=500", path="/users")
    reply = everybody.show("52")

    assert reply.status == 502
    assert statuses(reply) == dict.fromkeys(SETTINGS, "known") | {"stream": "failed"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/users", 404),
        ("GET", "/v1/users/", 400),
        ("GET", "/v1/users/a/b", 404),
        ("GET", "/v1/users/a/tokens", 404),
        ("GET", "/v1/users/%FF", 400),
        ("GET", "/v1/users/%00", 400),
        ("GET", f"/v1/users/{'x' * 256}", 400),
        ("DELETE", "/v1/users/a", 405),
        ("DELETE", "/v1/users//tokens", 400),
        ("DELETE", "/v1/users/a/b/tokens", 404),
        ("POST", "/v1/users/a/tokens", 405),
        ("GET", "/v1/tokens", 405),
        ("PUT", "/v1/tokens", 405),
        ("GET", "/v1", 404),
        ("GET", "/v1/users/..%2ftokens", 400),
        ("DELETE", "/v1/users/a/tokens/%2e%2e/x", 400),
    ],
)
def test_other_paths_and_methods(everybody: Everybody, method: str, path: str, status: int) -> None:
    reply = call(everybody.port, method, path)

    assert reply.status == status, reply.raw.body
    assert list(reply.json) == ["errorMsg"]
    assert list(everybody.stream.journal) == []

    if (method, path) == ("POST", "/v1/users/a/tokens"):
        assert reply.header("Allow") == "DELETE"


def test_the_log_says_who_failed_and_holds_no_token(everybody: Everybody) -> None:
    everybody.stream.faults.next("status=500", path="/users")
    reply = everybody.give("53", name="Hal")
    tokens = [one["token"] for one in reply.json["providers"].values() if "token" in one]
    line = everybody.house.sidecar.wait_for_line(path="/v1/tokens", status=502)

    assert line["error"]["type"] == "UpstreamError"
    text = everybody.house.sidecar.output.read_text()
    failed = [json.loads(one) for one in text.splitlines() if "a provider failed" in one]
    assert failed[-1]["provider"] == "stream"
    assert not any(token in text for token in tokens)
