"""The line of a request: built without a record, unless somebody else wants one."""

import dataclasses
import io
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chatproxy.errors import Side
from chatproxy.logs import access, correlation
from chatproxy.logs.access import Forwarded
from chatproxy.logs.handler import LineHandler, alone_behind
from chatproxy.logs.json_lines import JsonFormatter
from chatproxy.logs.levels import TRACE
from chatproxy.logs.text_lines import TextFormatter

SECRET = 'a "secret" with \\ and / in it+'
ENVIRON = {
    "REQUEST_METHOD": "GET",
    "HTTP_HOST": "localhost:8000",
    "REMOTE_ADDR": "127.0.0.1",
}


@dataclasses.dataclass
class Exchange:
    called_by: str = ""
    status: int = 200
    sent: int = 7
    first_byte: float | None = None
    broken_by: Side | None = None
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)
    path: str = "/proxy/app"
    received: int = 3

    def seconds(self) -> float:
        return 0.0123


class Listening(logging.Handler):
    """Somebody else who listens."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Log:
    """The log of requests, and what is written to it."""

    def __init__(self, form: Callable[[], JsonFormatter] = lambda: JsonFormatter([SECRET])) -> None:
        self.out = io.StringIO()
        self.handler = LineHandler(self.out)
        self.handler.setFormatter(form())
        self.logger = logging.Logger(access.log.name, TRACE)
        self.logger.addHandler(self.handler)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    made = Log()
    monkeypatch.setattr(access, "log", made.logger)
    return made


EXCHANGES: dict[str, tuple[Exchange, Mapping[str, str]]] = {
    "plain": (Exchange(), {}),
    "nothing known": (Exchange(), {"HTTP_HOST": "", "REMOTE_ADDR": ""}),
    "all fields": (
        Exchange("orders", 502, 0, 0.001, "upstream", {"error": {"type": "X", "message": "y"}}),
        {
            "HTTP_USER_AGENT": 'a "browser"\\\n\x00é',
            "HTTP_X_FORWARDED_FOR": "10.0.0.1, 10.0.0.2",
            "HTTP_X_FORWARDED_HOST": "example.org",
        },
    ),
    "forwarded": (Exchange(notes={"keyId": "k", "upstream": Forwarded("p", 200, 0.0101)}), {}),
    "their id": (Exchange(notes={"upstream": Forwarded("p", 200, 0.01, '"\\!')}), {}),
    "long texts": (
        Exchange(path="/" + "é" * 3000),
        {"HTTP_USER_AGENT": "\\" * 999, "HTTP_X_FORWARDED_FOR": '"' * 999},
    ),
    "no host": (Exchange(), {"HTTP_HOST": "user:password@host"}),
    "failed probe": (Exchange(status=503, path="/-/ready", notes={"reasons": ["a"]}), {}),
}


@pytest.mark.parametrize(("exchange", "more"), EXCHANGES.values(), ids=EXCHANGES.keys())
def test_the_line_is_the_same_with_and_without_a_record(
    log: Log, exchange: Exchange, more: Mapping[str, str]
) -> None:
    correlation.begin({"reqId": 'odd "\\ id', "traceId": "t", "spanId": "s"})
    access.write(exchange, ENVIRON | more)
    log.logger.addHandler(listening := Listening())
    access.write(exchange, ENVIRON | more)
    first, second = log.lines()

    assert first | {"time": 0} == second | {"time": 0}
    assert list(first) == list(second)
    assert len(listening.records) == 1


def test_the_fields_have_their_places(log: Log) -> None:
    correlation.begin({"reqId": "r"})
    notes = {"upstream": Forwarded("p", 201, 0.002, "theirs")}
    access.write(Exchange("orders", 200, 7, 0.001, "caller", notes), ENVIRON)
    (line,) = log.lines()

    assert list(line) == [
        *("level", "time", "msg", "pid", "hostname", "reqId", "http", "url", "host"),
        *("responseTime", "caller", "timeToFirstByte", "brokenBy", "upstream"),
    ]
    assert line["responseTime"] == 12.3
    assert line["upstream"] == {
        "provider": "p",
        "statusCode": 201,
        "timeToHeaders": 2.0,
        "requestId": "theirs",
    }


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("localhost:8000", "localhost"),
        ("[::1]:80", "[::1]"),
        ("user:password@host", ""),
        ("a/b", ""),
        ("a" * 257, ""),
        ("", ""),
    ],
)
def test_a_host_is_shown_where_it_is_one(log: Log, host: str, shown: str) -> None:
    access.write(Exchange(), ENVIRON | {"HTTP_HOST": host})

    assert log.lines()[0]["host"]["hostname"] == shown


def test_texts_of_strangers_are_cut(log: Log) -> None:
    long = {name: "x" * 5000 for name in ("USER_AGENT", "X_FORWARDED_FOR", "X_FORWARDED_HOST")}
    environ = ENVIRON | {f"HTTP_{name}": text for name, text in long.items()}
    access.write(Exchange(path="/" + "x" * 5000), environ)
    (line,) = log.lines()

    assert len(line["url"]["path"]) == access.LONGEST_PATH
    assert len(line["http"]["request"]["userAgent"]["original"]) == access.LONGEST_FIELD
    assert len(line["host"]["ip"]) == access.LONGEST_FIELD
    assert len(line["host"]["forwardedHost"]) == access.LONGEST_FIELD


@pytest.mark.parametrize(
    ("exchange", "more"),
    [
        (Exchange(path=f"/{SECRET}"), {}),
        (Exchange(), {"HTTP_USER_AGENT": f"x {SECRET}"}),
        (Exchange(), {"HTTP_X_FORWARDED_FOR": SECRET}),
        (Exchange(), {"HTTP_X_FORWARDED_HOST": SECRET}),
        (Exchange(), {"REQUEST_METHOD": SECRET}),
        (Exchange(called_by=SECRET), {}),
        (Exchange(notes={"error": {"detail": SECRET}}), {}),
        (Exchange(notes={"upstream": Forwarded(SECRET, 200, 0.1)}), {}),
        (Exchange(notes={"upstream": Forwarded("p", 200, 0.1, SECRET)}), {}),
    ],
    ids=["path", "agent", "for", "host", "method", "caller", "note", "provider", "their id"],
)
def test_a_secret_is_in_no_field(log: Log, exchange: Exchange, more: Mapping[str, str]) -> None:
    access.write(exchange, ENVIRON | more)
    (line,) = log.lines()

    assert "[REDACTED]" in str(line)
    assert "secret" not in str(line)


def test_a_secret_is_in_no_id(log: Log) -> None:
    correlation.begin({"reqId": f"x{SECRET}"})
    access.write(Exchange(), ENVIRON)

    assert log.lines()[0]["reqId"] == "x[REDACTED]"


def test_what_is_a_secret_from_now_on_is_one_in_texts_that_came_before(log: Log) -> None:
    asked = ENVIRON | {"HTTP_USER_AGENT": "later-secret"}
    access.write(Exchange(), asked)
    form = log.handler.formatter
    assert isinstance(form, JsonFormatter)
    form.hide(["later-secret"])
    access.write(Exchange(), asked)

    assert "later-secret" not in str(log.lines()[1])


@pytest.mark.parametrize(
    ("status", "path", "level"),
    [(503, "/-/ready", 40), (404, "/-/x", 30), (503, "/proxy/app", 30)],
)
def test_levels(log: Log, status: int, path: str, level: int) -> None:
    access.write(Exchange(status=status, path=path), ENVIRON)

    assert [line["level"] for line in log.lines()] == [level]


def test_above_its_level_there_is_no_line(log: Log) -> None:
    log.logger.setLevel(logging.WARNING)
    access.write(Exchange(), ENVIRON)
    log.logger.setLevel(logging.INFO)
    log.handler.setLevel(logging.WARNING)
    access.write(Exchange(), ENVIRON)

    assert log.lines() == []


def test_a_handler_above_its_loggers_is_found() -> None:
    made, below = Log(), logging.Logger("x")
    below.parent = made.logger
    assert alone_behind(below, logging.INFO) == (made.handler, made.handler.formatter)
    below.addHandler(Listening())
    assert alone_behind(below, logging.INFO) is None


def test_people_get_theirs_from_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Log(TextFormatter)
    monkeypatch.setattr(access, "log", made.logger)
    access.write(Exchange(), ENVIRON)

    assert "GET /proxy/app 200 12ms 7B" in made.out.getvalue()


@pytest.mark.parametrize("place", ["logger", "handler"])
def test_a_filter_gets_a_record(log: Log, place: str) -> None:
    filtering: logging.Filterer = getattr(log, place)
    filtering.addFilter(lambda record: record.getMessage() != access.COMPLETED)
    access.write(Exchange(), ENVIRON)

    assert log.lines() == []
