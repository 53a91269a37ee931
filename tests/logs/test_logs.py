"""The log: one JSON object per line, the platform's fields, no secret in any of them."""

import base64
import json
import logging
import logging.config
import re
import subprocess
import sys
import time
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from chatproxy import logs
from chatproxy.errors import AnswerBroken
from chatproxy.logs.handler import AlreadyLogged
from chatproxy.logs.json_lines import JsonFormatter
from tests.sidecar import GUNICORN, ROOT, Sidecar, bare_environ, free_port
from tests.upstream import StreamUpstream
from tests.wire import ask, get, post

ESCAPE = re.compile("%..")
SECRET = 'a "secret" with \\ and / in it+'


def line_of(message: str, *, name: str = "x", level: int = logging.INFO, **extra: Any) -> Any:
    record = logging.makeLogRecord({"name": name, "msg": message, "levelno": level} | extra)
    return json.loads(JsonFormatter([SECRET]).format(record))


@pytest.mark.parametrize(
    ("level", "number"),
    [(5, 10), (10, 20), (20, 30), (30, 40), (40, 50), (50, 60)],
    ids=["trace", "debug", "info", "warn", "error", "fatal"],
)
def test_levels_are_the_platforms_numbers(level: int, number: int) -> None:
    assert line_of("x", level=level)["level"] == number


def test_a_line_has_the_fields_that_are_always_there() -> None:
    line = line_of("hello", created=1795177602.023)

    assert line["time"] == 1795177602023
    assert line["msg"] == "hello"
    assert {"pid", "hostname"} <= set(line)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        ESCAPE.sub(lambda found: found[0].lower(), quote(SECRET, safe="")),
        quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(json.dumps(SECRET)),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(b"user:" + SECRET.encode()).decode(),
        base64.b64encode(b"u:" + SECRET.encode() + b"!").decode(),
        base64.urlsafe_b64encode(b"use:" + SECRET.encode()).decode(),
    ],
)
def test_a_known_secret_is_redacted_in_every_form(form: str) -> None:
    line = line_of(f"before {form} after")["msg"]

    assert line.startswith("before ")
    assert line.endswith(" after")
    assert form not in line
    assert "REDACTED" in line


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiYSJ9.c2lnbmF0dXJl",
        "Authorization: Basic dXNlcjpwYXNzd29yZA==",
        "authorization: bearer abcdef123456",
        "GET /users?api_key=abc123&x=1",
        "/config?token=abc123",
    ],
)
def test_what_looks_like_a_secret_is_redacted(text: str) -> None:
    line = line_of(text)["msg"]

    assert "REDACTED" in line
    assert not any(word in line for word in ("c2lnbmF0", "dXNlcjp", "abcdef", "abc123"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("eyJ" * 10_000, "eyJ" * 10_000),
        ("eyJaaaaa." + "eyJ" * 10_000, "eyJaaaaa." + "eyJ" * 10_000),
        ("eyJ" * 5_000 + " eyJaaaaa.b.c d", "eyJ" * 5_000 + " [REDACTED] d"),
        ("eyJeyJaaaaa.eyJ.c-_ eyJ eyJaaaa.b.c", "[REDACTED] eyJ eyJaaaa.b.c"),
    ],
    ids=["nothing", "half", "behind it", "within a word"],
)
def test_only_a_whole_jwt_is_redacted_and_each_text_is_read_once(text: str, left: str) -> None:
    started = time.process_time()

    assert line_of(text)["msg"] == left
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize(
    ("message", "left"),
    [
        (
            "Invalid request from ip=127.0.0.1: Invalid HTTP request line: 'GET /x?secret'",
            "Invalid request from ip=127.0.0.1: Invalid HTTP request line: [REDACTED]",
        ),
        (
            "Ignored premature client disconnection. No more data after: b'GET /secret'",
            "Ignored premature client disconnection. No more data after: b[REDACTED]",
        ),
        ("Error handling request GET /x?secret", "Error handling request GET /x?[REDACTED]"),
    ],
)
def test_the_servers_lines_lose_what_callers_wrote(message: str, left: str) -> None:
    assert line_of(message, name="gunicorn.error")["msg"] == left


def test_an_error_has_the_platforms_fields() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        error = line_of("x", exc_info=sys.exc_info())["error"]

    assert error["type"] == "ValueError"
    assert error["message"] == "[REDACTED]"
    assert "test_logs.py" in error["stackTrace"]


def test_only_the_servers_word_on_a_broken_answer_is_left_out() -> None:
    broken = (AnswerBroken, AnswerBroken("x"), None)
    told = logging.makeLogRecord({"name": "gunicorn.error", "exc_info": broken})
    other = logging.makeLogRecord(
        {"name": "gunicorn.error", "exc_info": (OSError, OSError(), None)}
    )

    assert not AlreadyLogged().filter(told)
    assert AlreadyLogged().filter(other)


def test_a_completed_request_is_one_line_in_the_platforms_shape(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    fields = ("X-Request-Id: abc-1", "User-Agent: me", "X-Forwarded-For: 10.0.0.1")
    answer = ask(sidecar.port, post("/proxy/_sandbox/echo?line=1", b"12345", *fields))
    line = sidecar.wait_for_line(req_id="abc-1")

    assert line["level"] == 30
    assert line["url"] == {"path": "/proxy/_sandbox/echo"}
    assert line["http"]["request"] == {
        "method": "POST",
        "userAgent": {"original": "me"},
        "body": {"bytes": 5},
    }
    assert line["http"]["response"] == {
        "statusCode": 200,
        "body": {"bytes": len(answer.body)},
    }
    assert line["host"] == {
        "hostname": "localhost",
        "forwardedHost": "",
        "ip": "10.0.0.1",
        "peer": "127.0.0.1",
    }
    assert line["upstream"]["statusCode"] == 200
    assert 0 < line["timeToFirstByte"] <= line["responseTime"]
    assert "brokenBy" not in line


def test_a_request_without_an_id_gets_one(sidecar: Sidecar) -> None:
    ask(sidecar.port, get("/nowhere-1", "X-Request-Id: "))
    line = sidecar.wait_for_line(path="/nowhere-1")

    assert len(line["reqId"]) == 36


def test_incoming_requests_are_logged_at_trace(sidecar: Sidecar) -> None:
    ask(sidecar.port, get("/nowhere-2"))
    sidecar.wait_for_line(path="/nowhere-2")
    (line,) = [
        one
        for one in sidecar.lines()
        if one["msg"] == "incoming request" and one["url"]["path"] == "/nowhere-2"
    ]

    assert line["level"] == 10


def test_probes_make_no_noise(sidecar: Sidecar) -> None:
    ask(sidecar.port, get("/-/healthz"))
    ask(sidecar.port, get("/nowhere-3"))
    sidecar.wait_for_line(path="/nowhere-3")

    # Others of this run ask it by a wrong method, which is logged.
    lines = sidecar.completed(path="/-/healthz")
    assert [one for one in lines if one["http"]["response"]["statusCode"] == 200] == []


def test_what_a_caller_writes_takes_little_room_and_time(sidecar: Sidecar) -> None:
    long = "eyJ" * 2700
    fields = [f"X-Forwarded-For: {long}"] * 6
    started = time.monotonic()
    ask(sidecar.port, get("/nowhere-4", "X-Request-Id: long-1", f"User-Agent: {long}", *fields))
    line = sidecar.wait_for_line(req_id="long-1")

    assert len(json.dumps(line)) < 3000
    assert time.monotonic() - started < 2


def test_redaction_tears_no_escape_apart() -> None:
    record = logging.makeLogRecord({"name": "x", "msg": "a\tooth-secret b\\\\tooth-secret"})
    line = JsonFormatter(["tooth-secret"]).format(record)

    assert json.loads(line)["msg"] == "a\tooth-secret b\\\\[REDACTED]"


@pytest.mark.parametrize("text", ["a\u0085b", "a\u2028b", "a\nb", "a\x9bb"])
def test_a_line_stays_one_line(text: str) -> None:
    record = logging.makeLogRecord({"name": "x", "msg": text})

    assert len(JsonFormatter().format(record).splitlines()) == 1


def test_requests_go_on_where_nobody_reads_the_log(upstream: StreamUpstream) -> None:
    port = free_port()
    environ = bare_environ() | {
        "HTTP_PORT": str(port),
        "LOG_LEVEL": "trace",
        "STREAM_API_KEY": "key",
        "STREAM_API_SECRET": "s" * 40,
        "STREAM_BASE_URL": upstream.url,
    }

    with subprocess.Popen(
        [sys.executable, *GUNICORN], cwd=ROOT, env=environ, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        time.sleep(1.5)
        statuses = {ask(port, get("/token/a")).status for _ in range(400)}
        process.terminate()
        rest, _ = process.communicate(timeout=20)

    assert statuses == {201}
    assert len(rest) < 200_000  # the other lines were dropped, not waited for


@pytest.mark.parametrize("form", ["json", "text"])
def test_what_gunicorn_writes_of_its_settings_has_no_secret(form: logs.Form) -> None:
    """As Python writes it there, one with both kinds of quotes is another text."""
    secret = "pa'ss\"wd"
    made = logs.configuration("debug", [secret], form)

    assert "wd" not in repr(made)
    formatter = logging.config.DictConfigurator(made).configure_formatter(
        made["formatters"]["line"]
    )
    record = logging.makeLogRecord({"msg": f"a {secret}", "levelno": 20})
    assert "wd" not in formatter.format(record)
