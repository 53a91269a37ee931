"""Secrets never leave: planted here, looked for in all output at the end of the run."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.canaries import (
    API_KEY,
    API_SECRET,
    BEARER,
    CANARIES,
    COOKIE,
    PASSWORD,
    QUERY_KEY,
    SERVER_TOKEN,
    TEXT,
    forms,
)
from tests.conftest import leaks_in
from tests.sidecar import Sidecar, free_port
from tests.upstream import StreamUpstream
from tests.wire import ask, connected, get, post

BASIC = base64.b64encode(f"user:{PASSWORD}".encode()).decode()

FIELDS = (f"Authorization: Bearer {BEARER}", f"Cookie: session={COOKIE}")
TARGET = f"?api_key={QUERY_KEY}&payload=%7B%22text%22:%22{TEXT}%22%7D"

REQUESTS = {
    "forwarded": get(f"/proxy/_sandbox/echo{TARGET}", *FIELDS),
    "basic": get(f"/proxy/_sandbox/echo{TARGET}", f"Authorization: Basic {BASIC}"),
    "broken answer": get(
        f"/proxy/_sandbox/bytes{TARGET}&size=100000", "X-Sandbox-Fault: cut=sized", *FIELDS
    ),
    "reset": get(f"/proxy/_sandbox/echo{TARGET}", "X-Sandbox-Fault: reset", *FIELDS),
    "not http": get(f"/proxy/_sandbox/echo{TARGET}", "X-Sandbox-Fault: bad-header", *FIELDS),
    "refused path": get(f"/proxy/../x{TARGET}", *FIELDS),
    "nowhere": get(f"/nowhere{TARGET}", *FIELDS),
    "own endpoint": get(f"/config{TARGET}", *FIELDS),
    "malformed line": f"GET /x{TARGET} {BEARER} HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "malformed field": get("/x", f"Authorization Bearer {BEARER}", f"Cookie: {COOKIE}"),
    "bad field name": get("/x", f"Co okie: {COOKIE}", *FIELDS),
    "bad version": f"GET /x{TARGET} HTTP/9.9\r\nAuthorization: {BEARER}\r\n\r\n".encode(),
    "too long": get("/x?api_key=" + QUERY_KEY + "&x=" + TEXT * 500),
    "webhook": post(
        "/webhook/verify",
        json.dumps(
            {
                "rawBody": CANARIES["webhook body"],
                "signature": CANARIES["webhook signature"],
            }
        ).encode(),
    ),
    "cut webhook": post("/webhook/verify", CANARIES["webhook body"].encode()),
    "token": get("/token/canary"),
}


@pytest.mark.parametrize("request_bytes", REQUESTS.values(), ids=REQUESTS.keys())
def test_no_answer_to_the_caller_holds_our_secrets(sidecar: Sidecar, request_bytes: bytes) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(request_bytes)
        sock.settimeout(2)
        answer = _all_of(sock)

    ours = {API_SECRET} if b"_sandbox/echo" in request_bytes else {API_SECRET, SERVER_TOKEN}
    assert answer
    assert not [one for one in ours if one.encode() in answer]


def test_a_head_that_breaks_off_is_not_quoted(sidecar: Sidecar) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(f"GET /x HTTP/1.1\r\nAuthorization: Bearer {BEARER}".encode())


def test_an_unreachable_provider_is_logged_without_the_credential(
    sidecar_before: Callable[..., Sidecar],
) -> None:
    with sidecar_before(f"http://127.0.0.1:{free_port()}") as sidecar:
        ask(sidecar.port, get(f"/proxy/app{TARGET}", *FIELDS))
        ask(sidecar.port, get("/-/check-up"))


def test_a_token_that_a_caller_repeats_is_not_logged(
    tmp_path: Path, upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with sidecar_before(upstream.url, STREAM_AUTH_TOKEN=SERVER_TOKEN) as sidecar:
        ask(sidecar.port, get("/proxy/app", f"X-Stream-Client: {SERVER_TOKEN}"))


@pytest.mark.parametrize("name", CANARIES)
def test_the_search_finds_what_is_there(tmp_path: Path, name: str) -> None:
    """A search that finds nothing must be able to find something."""
    for number, form in enumerate(sorted(forms(CANARIES[name]))):
        (tmp_path / f"{number}.log").write_text(f'{{"msg": "before {form} after"}}\n')

    assert len(leaks_in(tmp_path)) == len(forms(CANARIES[name]))


def test_the_server_token_is_one_of_those_looked_for() -> None:
    assert CANARIES["server token"] == SERVER_TOKEN
    assert API_KEY in CANARIES.values()
    assert len(CANARIES) == len(set(CANARIES.values())) == 23


def _all_of(sock: object) -> bytes:
    data = b""

    try:
        while piece := sock.recv(65536):  # type: ignore[attr-defined]
            data += piece
    except OSError:
        pass

    return data
