"""What calls leave behind: lines in the log, times of use; and never a secret."""

import re
from collections.abc import Callable
from typing import Any

from tests import commands
from tests.calls import call
from tests.providers.chatsdk.conftest import App


def test_the_line_names_the_key_by_its_id(app: App) -> None:
    app.ask("POST", "/tokens", "X-Request-Id: who-asks", body={"userId": "traced"})
    line = app.sidecar.wait_for_line(req_id="who-asks")

    assert line["keyId"] == app.key_id
    assert "brokenBy" not in line


def test_a_refused_caller_is_the_one_who_broke_it(app: App) -> None:
    fields = ("X-API-Key: junk", "X-Request-Id: refused")
    call(app.sidecar.port, "POST", "/tokens", *fields, body={"userId": "traced"})
    line = app.sidecar.wait_for_line(req_id="refused")

    assert (line["brokenBy"], line["error"]["type"]) == ("caller", "Unauthenticated")


def test_a_revocation_leaves_its_reason(app: App) -> None:
    app.tokens("traced")
    app.revoke("traced", {"reason": "laptop stolen"})
    said = [line for line in app.sidecar.lines() if line["msg"] == "tokens revoked"]

    assert (said[-1]["reason"], said[-1]["keyId"]) == ("laptop stolen", app.key_id)


def test_no_key_and_no_token_stands_in_the_log(app: App) -> None:
    """Wherever a caller puts it."""
    tokens = app.tokens("traced")
    secret = app.key.partition(".")[2]
    places = [tokens["token"], tokens["wsToken"], app.key]

    for text in places:
        call(app.sidecar.port, "GET", f"/api/{text}?key={text}", f"User-Agent: {text}")
        call(app.sidecar.port, "GET", "/tokens/validate", f"Authorization: Bearer {text}")
        call(app.sidecar.port, "POST", "/tokens", f"X-Request-Id: {text}", body={"userId": text})

    output = app.sidecar.output.read_text()
    assert secret not in output
    assert not re.search(r"eyJ[A-Za-z0-9_-]+\.eyJ", output)


def test_times_of_use_are_written_at_the_end_of_a_worker(
    chatsdk_before: Callable[..., Any],
) -> None:
    with chatsdk_before() as app:
        app.tokens("used")
        before = commands.answer(app.sidecar.environ, "keys", "list")
        app.sidecar.__exit__()
        after = commands.answer(app.sidecar.environ, "keys", "list")

    assert before[0]["lastUsed"] is None
    assert after[0]["lastUsed"] is not None
