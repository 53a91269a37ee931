"""The server API, and connecting over HTTP."""

import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from sandbox import CentrifugoSandbox, ChatSDKSandbox
from sandbox.centrifugo import API_KEY, TOKEN_SECRET
from tests.sandbox.chatsdk.chat import Chat
from tests.wire import RawAnswer, ask, get, post

KEY = f"X-API-Key: {API_KEY}"
CONNECT = "/_sandbox/connect"
BAD_REQUEST = {"error": {"code": 107, "message": "bad request"}}


@pytest.fixture
def centrifugo() -> Iterator[CentrifugoSandbox]:
    with CentrifugoSandbox() as running:
        yield running


def see(stand_in: CentrifugoSandbox, target: str, document: Any, *lines: str) -> RawAnswer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ask(stand_in.port, post(target, body, *lines))


def told(stand_in: CentrifugoSandbox, target: str, document: Any) -> Any:
    answer = see(stand_in, target, document, KEY)
    assert (answer.status, answer.header("content-type")) == (200, "application/json;charset=utf-8")
    return json.loads(answer.body)


@pytest.mark.parametrize(
    "line", [KEY, f"Authorization: apikey {API_KEY}", f"authorization: ApiKey {API_KEY}"]
)
def test_who_is_disconnected_is_kept_in_order(centrifugo: CentrifugoSandbox, line: str) -> None:
    assert see(centrifugo, "/api/disconnect", {"user": "ann"}, line).body == b'{"result":{}}'
    see(centrifugo, "/api/disconnect", {"user": "bob", "whitelist": ["c1"], "more": 1}, line)
    assert centrifugo.disconnected == ["ann", "bob"]


@pytest.mark.parametrize(
    "lines",
    [
        ["X-None: "],
        ["X-API-Key: "],
        ["X-API-Key: wrong"],
        ["X-API-Key: wrong", f"Authorization: apikey {API_KEY}"],
        ["Authorization: apikey wrong"],
        ["Authorization: apikey"],
        [f"Authorization: Bearer {API_KEY}"],
        [f"Authorization: {API_KEY}"],
    ],
)
@pytest.mark.parametrize("target", ["/api/disconnect", "/api", "/api/info", "/_sandbox/echo"])
def test_without_the_key_it_is_an_empty_401(
    centrifugo: CentrifugoSandbox, target: str, lines: list[str]
) -> None:
    answer = see(centrifugo, target, {"user": "ann"}, *lines)
    assert (answer.status, answer.body, centrifugo.disconnected) == (401, b"", [])


def test_the_key_in_the_query_does_not_count(centrifugo: CentrifugoSandbox) -> None:
    assert see(centrifugo, f"/api/info?api_key={API_KEY}", {}).status == 401


@pytest.mark.parametrize("line", ["Cookie: a=b", "X-Forwarded-For: 192.0.2.1", KEY])
def test_what_should_never_arrive_is_400(centrifugo: CentrifugoSandbox, line: str) -> None:
    assert see(centrifugo, "/api/disconnect", {"user": "ann"}, KEY, line).status == 400
    assert centrifugo.disconnected == []


@pytest.mark.parametrize("document", [{}, {"user": ""}, {"client": "c1"}])
def test_a_failure_is_a_200_with_an_error(centrifugo: CentrifugoSandbox, document: Any) -> None:
    assert told(centrifugo, "/api/disconnect", document) == BAD_REQUEST
    assert centrifugo.disconnected == []


@pytest.mark.parametrize(
    "document",
    [b"", b"junk", [], {"user": 7}, {"user": None}, {"user": "ann", "whitelist": "c1"}],
)
def test_a_body_of_another_form_is_a_bare_400(centrifugo: CentrifugoSandbox, document: Any) -> None:
    answer = see(centrifugo, "/api/disconnect", document, KEY)
    assert (answer.status, answer.header("content-type")) == (400, "text/plain; charset=utf-8")
    assert centrifugo.disconnected == []


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ({"method": "disconnect", "params": {"user": "ann"}}, {"result": {}}),
        ({"method": "DISCONNECT", "params": {"user": "ann"}, "id": 3}, {"id": 3, "result": {}}),
        ({"method": "disconnect", "params": {}}, BAD_REQUEST),
        ({"method": "disconnect", "params": {"user": 7}, "id": 3}, {"id": 3, **BAD_REQUEST}),
        ({"method": "disconnect"}, BAD_REQUEST),
        ({"method": "disconnect", "params": []}, BAD_REQUEST),
        ({"method": "fly"}, {"error": {"code": 104, "message": "method not found"}}),
        ({}, {"error": {"code": 104, "message": "method not found"}}),
    ],
)
def test_the_old_route_names_its_method(
    centrifugo: CentrifugoSandbox, command: Any, reply: Any
) -> None:
    assert told(centrifugo, "/api", command) == reply
    assert centrifugo.disconnected == (["ann"] if "result" in reply else [])


@pytest.mark.parametrize(
    ("target", "document"), [("/api/info", {}), ("/api", {"method": "info", "params": {}})]
)
def test_info_tells_the_nodes(centrifugo: CentrifugoSandbox, target: str, document: Any) -> None:
    assert len(told(centrifugo, target, document)["result"]["nodes"]) == 1


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/api/info", 405),
        ("GET", "/api", 405),
        ("GET", CONNECT, 405),
        ("POST", "/api/", 404),
        ("POST", "/api/publish", 404),
        ("POST", "/disconnect", 404),
        ("POST", "/_sandbox/nothing", 404),
    ],
)
def test_there_is_nothing_else(
    centrifugo: CentrifugoSandbox, method: str, target: str, status: int
) -> None:
    assert ask(centrifugo.port, get(target, KEY, method=method)).status == status


@pytest.mark.parametrize(
    ("claims", "kind", "code"),
    [
        ({"exp": 60}, "connect", None),
        ({"exp": -1}, "error", 109),
        ({"exp": 60, "channel": "chat:a"}, "disconnect", 3500),
    ],
)
def test_a_token_can_be_tried_without_a_key(
    centrifugo: CentrifugoSandbox, claims: dict[str, Any], kind: str, code: int | None
) -> None:
    claims = {"sub": "ann", **claims, "exp": int(time.time()) + claims["exp"]}
    text = jwt.encode(claims, TOKEN_SECRET, "HS256")
    answer = json.loads(see(centrifugo, CONNECT, {"token": text}).body)

    assert answer.keys() == {kind}
    assert answer[kind].get("code") == code
    assert kind != "connect" or 55 <= answer["connect"]["ttl"] <= 60


@pytest.mark.parametrize(("document", "status"), [({}, 200), ({"token": 7}, 400), (b"junk", 400)])
def test_trying_wants_a_token(centrifugo: CentrifugoSandbox, document: Any, status: int) -> None:
    answer = see(centrifugo, CONNECT, document)
    assert answer.status == status
    assert status != 200 or json.loads(answer.body)["disconnect"]["code"] == 3501


def test_the_other_stand_ins_token_connects_and_its_rest_token_does_not(
    centrifugo: CentrifugoSandbox,
) -> None:
    with ChatSDKSandbox() as chatsdk:
        _, pair = Chat(chatsdk).call("POST", "/tokens", {"userId": "ann"})

    now = time.time()
    assert centrifugo.rules.connect(pair["wsToken"], now).user == "ann"
    assert centrifugo.rules.connect(pair["token"], now).code == 3500


def test_faults_and_journal_work_here_too(centrifugo: CentrifugoSandbox) -> None:
    centrifugo.faults.next("status=503", path="/api/*")
    answers = [see(centrifugo, "/api/disconnect", {"user": "ann"}, KEY) for _ in range(2)]

    assert [answer.status for answer in answers] == [503, 200]
    assert answers[0].body == b"Service Unavailable\n"
    assert [entry.status for entry in centrifugo.journal] == [503, 200]
