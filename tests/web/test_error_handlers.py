"""Errors that no part of ours raised: Flask's and Werkzeug's, and those of mistakes."""

import logging

import pytest
from werkzeug.exceptions import Conflict, ServiceUnavailable

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS

ENVIRON = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}


@pytest.mark.parametrize(
    ("kind", "text", "status", "message", "logged"),
    [
        (Conflict, "It is there already.", 400, "It is there already.", False),
        (Conflict, "", 400, "Conflict", False),
        (ServiceUnavailable, "host db-7 is down", 500, "Something went wrong.", True),
        (ZeroDivisionError, "password", 500, "Something went wrong.", True),
    ],
)
def test_a_callers_fault_is_said_and_ours_is_not(
    kind: type[Exception],
    text: str,
    status: int,
    message: str,
    logged: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = create_app(settings.load(SETTINGS, ENVIRON))

    def fail() -> None:
        raise kind(text)

    (endpoint,) = [rule.endpoint for rule in app.url_map.iter_rules() if rule.rule == "/api-key"]
    monkeypatch.setitem(app.view_functions, endpoint, fail)
    answer = app.test_client().get("/api-key")

    assert (answer.status_code, answer.json) == (status, {"errorMsg": message})
    assert any(one.levelno == logging.ERROR for one in caplog.records) is logged
    caplog.clear()  # the traceback holds the request
