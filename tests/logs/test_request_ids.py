"""Each answer says under which id its lines are in the log, and each line to which trace it is."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from tests.mounted import wait_for
from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import RawAnswer, answer_on, ask, chunked, connected, get, post

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
TRACEPARENT = f"traceparent: 00-{TRACE}-{SPAN}-01"
HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
ANSWERS = {
    "own endpoint": (get("/token/a"), 201),
    "forwarded": (get("/proxy/_sandbox/echo"), 200),
    "forwarded error": (get("/proxy/_sandbox/status/404"), 404),
    "probe": (get("/-/healthz"), 200),
    "readiness": (get("/-/ready"), 200),
    "check-up": (get("/-/check-up"), 200),
    "nowhere": (get("/nowhere"), 404),
    "other method": (get("/api-key", method="DELETE"), 405),
    "options": (get("/api-key", method="OPTIONS"), 405),
    "bad body": (post("/webhook/verify", b"no json", "Content-Type: application/json"), 400),
    "bad path": (get("/proxy/../x"), 400),
    "no host": (b"GET /api-key HTTP/1.1\r\n\r\n", 400),
    "foreign host": (b"GET /api-key HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    "foreign page": (get("/api-key", "Origin: https://evil.example"), 403),
    "broken upstream": (get("/proxy/x", "X-Sandbox-Fault: reset"), 502),
    "handshake": (get("/proxy/connect", *HANDSHAKE), 400),
    "HTTP/1.0": (b"GET /token/a HTTP/1.0\r\n\r\n", 201),
    "bad chunk": (chunked("/proxy/_sandbox/echo", b"x").replace(b"1\r\nx", b"z\r\nx"), 400),
}
REFUSED = {
    "no request": (b"junk\r\n\r\n", 400),
    "bad version": (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400),
    "bad field": (get("/", "no colon"), 400),
    "bad name": (get("/", "a b: c"), 400),
    "long line": (get("/" + "a" * 9000), 414),
    "large field": (get("/", "X-A: " + "b" * 9000), 431),
    "many fields": (get("/", *[f"X-{n}: b" for n in range(101)]), 431),
    "foreign coding": (get("/", "Transfer-Encoding: foo", method="POST"), 501),
    "foreign expectation": (get("/", "Expect: the-impossible"), 417),
}


@pytest.fixture(scope="module")
def asked(upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    with sidecar_before(upstream.url, UPSTREAM_READ_TIMEOUT="3") as running:
        yield running


def ids_of(answer: RawAnswer) -> list[str]:
    return [value for name, value in answer.fields if name.lower() == "x-request-id"]


def lines_of(sidecar: Sidecar, request_id: str) -> list[dict[str, Any]]:
    wait_for(lambda: f'"{request_id}"' in sidecar.output.read_text(), within=20)
    return [line for line in sidecar.lines() if line.get("reqId") == request_id]


@pytest.mark.parametrize(("request_bytes", "status"), ANSWERS.values(), ids=ANSWERS.keys())
def test_every_answer_has_the_callers_id(asked: Sidecar, request_bytes: bytes, status: int) -> None:
    head, _, rest = request_bytes.partition(b"\r\n")
    answer = ask(asked.port, head + b"\r\nX-Request-Id: my-id\r\n" + rest)

    assert answer.status == status
    assert ids_of(answer) == ["my-id"]


@pytest.mark.parametrize(("request_bytes", "status"), ANSWERS.values(), ids=ANSWERS.keys())
def test_without_one_it_has_one_that_is_made_here(
    asked: Sidecar, request_bytes: bytes, status: int
) -> None:
    (made,) = ids_of(ask(asked.port, request_bytes))

    assert uuid.UUID(made).version == 4


@pytest.mark.parametrize(("request_bytes", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_server_itself_refuses_has_an_id_and_a_line(
    asked: Sidecar, request_bytes: bytes, status: int
) -> None:
    with connected(asked.port) as sock:
        sock.sendall(get("/token/a", "X-Request-Id: the-one-before"))
        answer_on(sock)
        sock.sendall(request_bytes)
        answer = answer_on(sock)

    (made,) = ids_of(answer)
    (line,) = lines_of(asked, made)
    assert answer.status == status
    assert answer.header("Content-Type") == "application/json"
    assert line["msg"].startswith("Invalid request from ip=127.0.0.1: ")
    assert line["level"] == 40


@pytest.mark.parametrize(
    "given",
    ["", "two words", "x" * 129, "na\xefve", "a\tb", '"; <script>\x01'],
    ids=["empty", "space", "long", "not ASCII", "tab", "control"],
)
def test_an_id_that_is_none_does_not_come_back(asked: Sidecar, given: str) -> None:
    answer = ask(asked.port, get("/token/a", f"X-Request-Id: {given}"))

    (made,) = ids_of(answer)
    assert made != given
    assert len(made) == 36


@pytest.mark.parametrize("given", ["x" * 128, "!~<a>\"'=", "a,b"])
def test_an_odd_one_does(asked: Sidecar, given: str) -> None:
    assert ids_of(ask(asked.port, get("/token/a", f"X-Request-Id: {given}"))) == [given]


def test_the_providers_own_id_is_in_the_log_and_ours_is_in_the_answer(
    asked: Sidecar, upstream: StreamUpstream
) -> None:
    fault = "X-Sandbox-Fault: request-id=theirs-1"
    answer = ask(asked.port, get("/proxy/_sandbox/echo", fault, "X-Request-Id: ours-1"))
    line = asked.wait_for_line(req_id="ours-1")

    assert ids_of(answer) == ["ours-1"]
    assert line["upstream"]["requestId"] == "theirs-1"


def test_a_provider_that_repeats_ours_adds_nothing(asked: Sidecar) -> None:
    fault = "X-Sandbox-Fault: request-id=ours-2"
    ask(asked.port, get("/proxy/_sandbox/echo", fault, "X-Request-Id: ours-2"))

    assert "requestId" not in asked.wait_for_line(req_id="ours-2")["upstream"]


def test_the_callers_id_goes_on_to_the_provider_as_before(
    asked: Sidecar, upstream: StreamUpstream
) -> None:
    ask(asked.port, get("/proxy/_sandbox/echo", "X-Request-Id: onward", TRACEPARENT))

    assert upstream.journal[-1].values("x-request-id") == ["onward"]
    assert upstream.journal[-1].values("traceparent") == [TRACEPARENT.partition(" ")[2]]


def test_every_line_of_a_request_has_its_ids(asked: Sidecar) -> None:
    body = b'{"rawBody": "{}", "signature": "x"}'
    fields = ("Content-Type: application/json", "X-Request-Id: traced", TRACEPARENT)
    ask(asked.port, post("/webhook/verify", body, *fields))
    asked.wait_for_line(req_id="traced")
    lines = lines_of(asked, "traced")

    assert [line["msg"] for line in lines] == [
        "incoming request",
        "webhook verified",
        "request completed",
    ]
    assert {(line["traceId"], line["spanId"]) for line in lines} == {(TRACE, SPAN)}


@pytest.mark.parametrize(
    "fields",
    [
        (),
        ("traceparent: junk",),
        (TRACEPARENT, TRACEPARENT),
        (TRACEPARENT.replace(TRACE, TRACE.upper()),),
    ],
    ids=["none", "junk", "two", "upper case"],
)
def test_a_trace_that_is_none_is_left_out(asked: Sidecar, fields: tuple[str, ...]) -> None:
    name = f"untraced-{len(fields)}-{len(str(fields))}"
    ask(asked.port, get("/token/a", f"X-Request-Id: {name}", *fields))

    assert "traceId" not in asked.wait_for_line(req_id=name)


def test_requests_at_the_same_time_keep_their_own_ids(asked: Sidecar) -> None:
    """While one waits for the provider, others are served in the same thread."""
    slow = get("/proxy/_sandbox/echo", "X-Sandbox-Fault: slow=1", "X-Request-Id: slow", TRACEPARENT)

    with connected(asked.port) as waiting:
        waiting.sendall(slow)
        ask(asked.port, get("/token/a", "X-Request-Id: quick"))
        answer = answer_on(waiting)

    line = asked.wait_for_line(req_id="slow")
    assert ids_of(answer) == ["slow"]
    assert line["traceId"] == TRACE
    assert "traceId" not in asked.wait_for_line(req_id="quick")


def test_a_line_between_two_requests_belongs_to_none(asked: Sidecar) -> None:
    with connected(asked.port) as sock:
        sock.sendall(get("/token/a", "X-Request-Id: over"))
        answer_on(sock)
        asked.wait_for_line(req_id="over")
        sock.sendall(b"GET / HTT")

    wait_for(lambda: "Ignored premature client disconnection" in asked.output.read_text())
    assert {line["msg"] for line in lines_of(asked, "over")} == {
        "incoming request",
        "request completed",
    }


def test_an_answer_to_a_preflight_has_one(tmp_path: Path) -> None:
    """And a page may read it."""
    app = create_app(
        settings.load(SETTINGS, CLIENT_SURFACE | {"DATABASE_URL": f"sqlite:///{tmp_path}/d"})
    )
    fields = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "GET",
        "X-Request-Id": "preflight",
    }
    answer = app.test_client().options("/imkit/rooms", headers=fields)

    assert answer.status_code == 204
    assert answer.headers.getlist("X-Request-Id") == ["preflight"]


CLIENT_SURFACE = {
    "PROVIDERS": "imkit",
    "KEY_SIGNING_SECRET": "k" * 40,
    "IMKIT_ALLOWED_ORIGINS": "https://app.example",
}
