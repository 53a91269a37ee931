"""`LOG_FORMAT=text`: one line per record that a person can read, and nobody can forge."""

import json
import logging
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatproxy.logs.text_lines import TextFormatter
from chatproxy.settings.terminal import wants_colours
from sandbox.local_run import local_environ
from tests.canaries import SERVER_TOKEN
from tests.mounted import wait_for
from tests.sidecar import Sidecar
from tests.test_secrets import REQUESTS, _all_of
from tests.upstream import StreamUpstream
from tests.wire import ask, connected, get, post

BEGINNING = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (TRACE|DEBUG|INFO |WARN |ERROR|FATAL) "
)
SECRET = 'a "secret" with \\ and \n in it'
REQUEST = {
    "http": {
        "request": {"method": "GET", "userAgent": {"original": "me"}, "body": {"bytes": 0}},
        "response": {"statusCode": 200, "body": {"bytes": 1234}},
    },
    "url": {"path": "/proxy/app"},
    "host": {"hostname": "a", "forwardedHost": "", "ip": "10.0.0.1", "peer": "127.0.0.1"},
    "responseTime": 12.3,
    "upstream": {"provider": "stream", "statusCode": 200, "timeToHeaders": 11.1},
}


def text_of(
    message: str, *, name: str = "x", level: int = logging.INFO, to: Any = None, **extra: Any
) -> str:
    record = logging.makeLogRecord({"name": name, "msg": message, "levelno": level} | extra)
    return (to or TextFormatter([SECRET])).format(record)


def said(message: str, **extra: Any) -> str:
    """What stands behind time and level."""
    text = text_of(message, **extra)
    found = BEGINNING.match(text)
    assert found is not None, text
    return text[found.end() :]


@pytest.fixture(scope="module")
def talking(upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    """A sidecar that writes for people, at every level."""
    with sidecar_before(upstream.url, LOG_FORMAT="text", UPSTREAM_READ_TIMEOUT="3") as running:
        yield running


def line_with(sidecar: Sidecar, text: str) -> str:
    wait_for(lambda: text in sidecar.output.read_text(), within=20)
    return next(one for one in sidecar.output.read_text().splitlines() if text in one)


def test_a_line_has_time_level_message_and_fields() -> None:
    assert said("hello", reason="lost", note="two words", list=["a", "b"], number=3) == (
        'hello  reason=lost note="two words" list=a,b number=3'
    )


@pytest.mark.parametrize(
    ("level", "name"),
    [(5, "TRACE"), (10, "DEBUG"), (20, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "FATAL")],
)
def test_levels_are_words(level: int, name: str) -> None:
    found = BEGINNING.match(text_of("x", level=level))

    assert found is not None
    assert found[1].strip() == name


def test_a_request_is_one_short_line() -> None:
    asked = said("request completed", name="chatproxy.request", reqId="abc", **REQUEST)

    assert asked == "GET /proxy/app 200 12ms 1.2kB → stream 200 (11ms)  reqId=abc"


def test_who_broke_it_and_how_is_on_the_line() -> None:
    error = {"type": "UpstreamBroken", "message": "It broke.", "detail": "reset"}
    broken = REQUEST | {"brokenBy": "upstream", "error": error}
    asked = said("request completed", name="chatproxy.request", **broken)

    assert asked.endswith("broken by upstream: UpstreamBroken: It broke. (reset)")


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "a\r\nb",
        "a\x1b[31mb",
        "a\x1b]0;title\x07b",
        "a\x9b31mb",
        "a\u0085b",
        "a\u2028b",
        "a\u202eb",
        "a\u2066b",
        "a\x00b",
        "a\x7fb",
        "a\tb",
        "a\ud800b",
        "a\x0bb\x0cb",
    ],
    ids=ascii,
)
def test_nothing_that_a_terminal_obeys_gets_through(text: str) -> None:
    error = {"type": text, "message": text, "detail": text}
    request = REQUEST | {
        "url": {"path": text},
        "upstream": REQUEST["upstream"] | {"provider": text},
    }
    lines = [
        text_of(text),
        text_of("x", **{text: text}, nested={text: [text]}, several=[text, text]),
        text_of("x", error=error),
        text_of("x", error=error, brokenBy=text, name="chatproxy.request", **request),
    ]

    for line in lines:
        assert line.isprintable()
        assert line.encode()


def test_a_traceback_is_readable_and_begins_no_line_of_its_own() -> None:
    try:
        raise ValueError("first\n2026-11-27 15:10:22.023 INFO  forged\x1b[2J")
    except ValueError:
        text = text_of("it failed", exc_info=sys.exc_info())

    first, *rest = text.split("\n")
    assert BEGINNING.match(first)
    assert "it failed: ValueError: first\\n2026" in first
    assert any('File "' in line and "test_text.py" in line for line in rest)
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_secrets_are_removed_as_they_are_from_json() -> None:
    text = text_of(f"x {SECRET} y", field=SECRET, error={"type": "E", "message": SECRET})

    assert text.count("[REDACTED]") == 3
    assert "secret" not in text


def test_a_secret_that_is_told_later_is_removed_from_then_on() -> None:
    to = TextFormatter()
    to.hide(["told-later"])

    assert "told-later" not in text_of("x told-later", to=to)


def test_a_line_that_redaction_left_broken_is_still_written() -> None:
    """A secret of digits may also be a part of a number."""
    text = text_of("x", to=TextFormatter(["1234567"]), number=12345678)

    assert "[REDACTED]" in text
    assert "1234567" not in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-16"])
def test_any_terminal_can_show_every_line(encoding: str) -> None:
    to = TextFormatter(encoding=encoding)
    asked = text_of(
        "request completed", to=to, name="chatproxy.request", **REQUEST | {"note": "Jörg 日本 🎉"}
    )

    assert asked.encode(encoding)
    assert ("→" if encoding == "utf-16" else "->") in asked


def test_bytes_that_are_no_text_are_shown() -> None:
    assert "\\xff\\xfe" in text_of("x", body=b"\xff\xfe")


def test_colours_are_ours_alone() -> None:
    text = text_of("a\x1b[31mb", to=TextFormatter(coloured=True), level=logging.ERROR)

    assert "\x1b[31mERROR\x1b[0m" in text
    assert "a\\x1b[31mb" in text


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, None),
        ({"NO_COLOR": ""}, None),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "3"}, True),
        ({"FORCE_COLOR": "0"}, None),
        ({"FORCE_COLOR": ""}, None),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ({"TERM": "xterm"}, None),
    ],
)
def test_the_users_word_on_colours_counts(environ: dict[str, str], wanted: bool | None) -> None:
    assert wants_colours(environ) is wanted


def test_a_sidecar_writes_such_lines_and_no_other(talking: Sidecar) -> None:
    ask(talking.port, post("/proxy/_sandbox/echo?x=1", b"12345", "X-Request-Id: text-1"))
    ask(talking.port, b"GET /%0a%1b[2J HTTP/1.1\r\nHost: a\x1b[31m\r\n\r\n")
    ask(talking.port, b"junk\x1b[31m\r\n\r\n")
    ask(talking.port, get("/proxy/x", "X-Sandbox-Fault: reset", "X-Request-Id: text-2"))
    asked = line_with(talking, "broken by upstream")
    output = talking.output.read_text()

    assert "GET /proxy/x 502 " in asked
    assert "broken by upstream: UpstreamBroken: " in asked
    assert asked.endswith("  reqId=text-2")
    assert re.search(r"POST /proxy/_sandbox/echo 200 \d\S+ \S+ \(5B in\) → stream 200 \(", output)
    assert re.search(r"INFO  chatproxy starts  providers=stream listening=127", output)
    assert re.search(r"INFO  Listening at: ", output)
    assert re.search(r"WARN  Invalid request from ip=127\.0\.0\.1: .*REDACTED\]  reqId=", output)
    assert all(line.isprintable() for line in output.splitlines())
    assert all(BEGINNING.match(line) for line in output.splitlines() if line[:4] != "    ")


@pytest.mark.parametrize("request_bytes", REQUESTS.values(), ids=REQUESTS.keys())
def test_no_planted_secret_is_written(talking: Sidecar, request_bytes: bytes) -> None:
    """They are looked for in all output at the end of the run."""
    with connected(talking.port) as sock:
        sock.sendall(request_bytes)
        sock.settimeout(2)
        assert _all_of(sock)

    ask(talking.port, get("/proxy/app", f"X-Stream-Client: {SERVER_TOKEN}"))


def start_at(output: int, **environ: str) -> None:
    """Set the log up as the server's first process does, and write a line."""
    code = (
        "import logging, logging.config; from chatproxy import gunicorn_conf as c; "
        "logging.config.dictConfig(c.logconfig_dict); logging.getLogger('x').warning('Jörg →')"
    )
    given = {"STREAM_API_KEY": "k", "STREAM_API_SECRET": "s" * 40, "LOG_FORMAT": "text"}
    keep = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    subprocess.run(
        [sys.executable, "-c", code],
        env=keep | given | environ,
        stdout=output,
        check=True,
        timeout=60,
    )


def at_a_terminal(**environ: str) -> str:
    ours, theirs = pty.openpty()

    try:
        start_at(theirs, **environ)
        return os.read(ours, 65536).decode(errors="replace")
    finally:
        os.close(ours)
        os.close(theirs)


def into_a_file(path: Path, **environ: str) -> bytes:
    with path.open("wb") as file:
        start_at(file.fileno(), **environ)

    return path.read_bytes()


def test_a_terminal_gets_colours_unless_the_user_wants_none() -> None:
    assert "\x1b[33mWARN \x1b[0m" in at_a_terminal(TERM="xterm")
    assert "\x1b" not in at_a_terminal(TERM="xterm", NO_COLOR="1")
    assert "\x1b" not in at_a_terminal(TERM="dumb")


def test_a_pipe_gets_none_unless_they_are_forced(tmp_path: Path) -> None:
    assert b"\x1b" not in into_a_file(tmp_path / "a", TERM="xterm")
    assert b"\x1b[33m" in into_a_file(tmp_path / "b", FORCE_COLOR="1")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
def test_an_output_of_any_encoding_gets_every_line(tmp_path: Path, encoding: str) -> None:
    written = into_a_file(tmp_path / "a", PYTHONIOENCODING=encoding, LC_ALL="C").decode(encoding)

    assert ("Jörg" if encoding != "ascii" else "J\\xf6rg") in written


def test_a_local_run_writes_for_people_unless_it_is_told_otherwise() -> None:
    assert local_environ({})["LOG_FORMAT"] == "text"
    assert local_environ({"LOG_FORMAT": ""})["LOG_FORMAT"] == "text"
    assert local_environ({"LOG_FORMAT": "json"})["LOG_FORMAT"] == "json"


def test_json_stays_json_at_a_terminal() -> None:
    assert json.loads(at_a_terminal(LOG_FORMAT="json", FORCE_COLOR="1"))["level"] == 40
