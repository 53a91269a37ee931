"""What the socket's events are answered with, on each database."""

import base64
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.providers.imkit.conftest import Site, moment
from tests.providers.imkit.rawsocket import entered
from tests.providers.imkit.test_callers import devices_of

BAD_TOKEN = {"code": "INVALID_TOKEN", "message": "Invalid token"}


def asked(site: Site, event: str, *arguments: Any) -> Any:
    """The answer to an event on a socket of its own."""
    with entered(site.sidecar.port) as socket:
        return socket.ask(event, *arguments)


@pytest.mark.parametrize("event", ["auth", "auth2"])
def test_a_good_token_is_answered_with_its_client(site: Site, event: str) -> None:
    token = site.token("good", nickname="G", description="d")
    answer = asked(site, event, token)

    assert list(answer) == ["RC", "RM", "result"]
    assert (answer["RC"], answer["RM"]) == (0, "OK")
    assert answer["result"]["client"] == site.acting(token, "GET", "/me").json["result"]


def test_a_token_that_the_customer_bound_is_as_good(site: Site) -> None:
    site.put("bound")
    site.bind("bound", "bound-by-the-customer")

    assert asked(site, "auth", "bound-by-the-customer")["result"]["client"]["_id"] == "bound"


def test_a_bearer_in_front_of_the_token_is_overlooked(site: Site) -> None:
    assert asked(site, "auth", f"Bearer {site.token('bearer')}")["RC"] == 0


def test_a_client_that_authenticates_was_seen(site: Site) -> None:
    site.put("seen-there")
    site.bind("seen-there", "token-of-seen-there")
    before = int(time.time() * 1000)
    client = asked(site, "auth2", "token-of-seen-there", {"deviceId": "phone-1"})["result"][
        "client"
    ]

    assert before <= client["lastLoginTimeMS"] <= time.time() * 1000
    assert [device["id"] for device in devices_of(site, "seen-there")] == ["phone-1"]


@pytest.mark.parametrize("device", [7, None, "x" * 256, "a\nb"])
def test_a_device_of_no_use_is_refused(site: Site, device: Any) -> None:
    assert asked(site, "auth2", site.token("device"), {"deviceId": device})["RC"] == 400


@pytest.mark.parametrize("extra", ["text", None, [], {}, {"platform": "ios"}])
def test_what_else_comes_with_a_token_is_not_asked_for(site: Site, extra: Any) -> None:
    assert asked(site, "auth2", site.token("extra"), extra, "and more")["RC"] == 0


@pytest.mark.parametrize(
    "token", ["", "nobody-has-this", "a\x00b", "\ud800", "Bearer ", "é" * 5000]
)
def test_a_token_that_nobody_has(site: Site, token: str) -> None:
    assert asked(site, "auth", token) == {"RC": 401, "RM": "Invalid token", "error": BAD_TOKEN}


def test_a_token_that_was_good(site: Site) -> None:
    renewed, unbound, revoked = site.token("before"), site.token("unbound"), site.token("revoked")
    site.token("before")
    site.unbind("unbound")
    site.run("tokens", "revoke", "--user", "revoked")

    for token in (renewed, unbound, revoked):
        answer = asked(site, "auth", token)
        assert (answer["RC"], answer["error"]["code"]) == (401, "INVALID_TOKEN")


def test_a_token_whose_time_is_over(site: Site) -> None:
    site.put("late")
    site.bind("late", "soon-over", moment(seconds=0.5))
    time.sleep(0.6)

    assert asked(site, "auth", "soon-over")["RC"] == 401


@pytest.mark.parametrize("token", [{"token": "t"}, 5, 1.5, True, None, ["t"]])
def test_a_token_that_is_no_text(site: Site, token: Any) -> None:
    answer = asked(site, "auth", token)

    assert (answer["RC"], answer["error"]["code"]) == (400, "INVALID_BODY")


def test_no_token_at_all(site: Site) -> None:
    answer = asked(site, "auth")

    assert (answer["RC"], answer["error"]["code"]) == (400, "MISSING_PARAMETER")


def test_the_second_good_token_takes_the_place_of_the_first(site: Site) -> None:
    first, second = site.token("first"), site.token("second")

    with entered(site.sidecar.port) as socket:
        assert socket.ask("auth", first)["result"]["client"]["_id"] == "first"
        assert socket.ask("auth", second)["result"]["client"]["_id"] == "second"
        site.unbind("first")
        time.sleep(0.8)
        assert socket.ask("conf")["RC"] == 0

        site.unbind("second")
        assert socket.closed_with() == 1008


def test_a_bad_second_token_leaves_all_as_it_was(site: Site) -> None:
    with entered(site.sidecar.port) as socket:
        assert socket.ask("auth", site.token("stays"))["RC"] == 0
        assert socket.ask("auth", "nobody-has-this")["RC"] == 401
        time.sleep(0.8)
        assert socket.ask("conf")["RC"] == 0

        site.unbind("stays")
        assert socket.closed_with() == 1008


@pytest.mark.parametrize("arguments", [[], [None], [{}], [{"other": 1}], [{"encoding": "json"}]])
def test_json_is_what_a_client_gets_that_asks_for_nothing(site: Site, arguments: Any) -> None:
    answer = asked(site, "conf", *arguments)

    assert answer == {"RC": 0, "RM": "OK", "result": {"encoding": "json"}}


@pytest.mark.parametrize(
    "asked_for", ["base64", 64, [], {"encoding": "custom"}, {"encoding": ["base64"]}]
)
def test_an_encoding_that_is_not_known(site: Site, asked_for: Any) -> None:
    answer = asked(site, "conf", asked_for)

    assert (answer["RC"], answer["error"]["code"]) == (400, "INVALID_REQUEST")


def test_base64_holds_for_every_answer_behind_that_of_conf(site: Site) -> None:
    token = site.token("decoded", nickname="Zoë 🙂")

    with entered(site.sidecar.port) as socket:
        assert socket.ask("conf", {"encoding": "base64"})["result"] == {"encoding": "base64"}
        encoded = [socket.ask("auth", one) for one in (token, "nobody-has-this", 5)]
        unknown = socket.ask("typing")
        assert socket.ask("conf", {"encoding": "custom"})["RC"] == 400
        still = socket.ask("auth", token)
        socket.ask("conf", {"encoding": "json"})
        plain = socket.ask("auth", token)

    decoded = [json.loads(base64.b64decode(one, validate=True)) for one in (*encoded, unknown)]
    assert [one["RC"] for one in decoded] == [0, 401, 400, 501]
    assert decoded[0]["result"]["client"]["nickname"] == "Zoë 🙂"
    assert isinstance(still, str)
    assert plain["RC"] == 0


@pytest.mark.parametrize("event", ["chat message", "typing", "lastRead", "room", "", "disconnect"])
def test_no_chat_event_is_relayed(site: Site, event: str) -> None:
    with entered(site.sidecar.port) as socket:
        assert socket.ask("auth", site.token("chats"))["RC"] == 0
        answer = socket.ask(event, {"room": "r"})

    assert (answer["RC"], answer["error"]["code"]) == (501, "NOT_IMPLEMENTED")


def test_a_bad_token_that_comes_too_often(imkit_before: Callable[..., Any]) -> None:
    """It is the same count as that of calls; a good token is let in all the same."""
    with imkit_before(AUTH_FAILURE_LIMIT="2 per hour") as site:
        port, token = site.sidecar.port, site.token("limited")
        assert site.verify("often").status == 401

        with entered(port) as socket, entered(port) as another:
            assert socket.ask("auth", "often")["RC"] == 401
            refused = another.ask("auth", "often")
            assert another.ask("auth", "another")["RC"] == 401
            assert another.ask("auth", token)["RC"] == 0

        assert (refused["RC"], refused["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert site.verify("often").status == 429


def test_a_directory_that_cannot_be_asked(imkit_before: Callable[..., Any]) -> None:
    """What it cannot be asked about is refused, and who is in already stays."""
    with imkit_before() as site:
        token, path = site.token("waits"), site.sidecar.environ["DATABASE_URL"].partition(":///")[2]

        with entered(site.sidecar.port) as inside, entered(site.sidecar.port) as outside:
            assert inside.ask("auth", token)["RC"] == 0
            _rename(path, "bound_tokens", "away")
            answer = outside.ask("auth", token)
            time.sleep(1)
            assert inside.ask("conf")["RC"] == 0
            _rename(path, "away", "bound_tokens")
            assert outside.ask("auth", token)["RC"] == 0
            site.unbind("waits")
            assert (inside.closed_with(), outside.closed_with()) == (1008, 1008)

    warnings = [line for line in site.sidecar.lines() if "still count" in line["msg"]]
    assert (answer["RC"], answer["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert len(warnings) == 1


def _rename(path: str, before: str, after: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"ALTER TABLE {before} RENAME TO {after}")
