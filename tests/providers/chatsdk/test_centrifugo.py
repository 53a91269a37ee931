"""The wsToken at Centrifugo, and what Centrifugo is told of a revocation."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.calls import call
from tests.canaries import CENTRIFUGO_KEY, CENTRIFUGO_SECRET
from tests.providers.chatsdk import claims
from tests.providers.chatsdk.conftest import App
from tests.sidecar import ROOT, free_port
from tests.upstream import CentrifugoUpstream

SAMPLES = ROOT / "docs" / "samples"


@pytest.fixture(scope="module")
def centrifugo() -> Iterator[CentrifugoUpstream]:
    with CentrifugoUpstream(CENTRIFUGO_KEY, [CENTRIFUGO_SECRET]) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def beside(centrifugo: CentrifugoUpstream, chatsdk_before: Callable[..., Any]) -> Iterator[App]:
    url = f"{centrifugo.url}/api"

    with chatsdk_before(CENTRIFUGO_API_URL=url, CENTRIFUGO_API_KEY=CENTRIFUGO_KEY) as app:
        yield app


@pytest.fixture(autouse=True)
def _forget(centrifugo: CentrifugoUpstream) -> None:
    centrifugo.disconnected.clear()


def connect(centrifugo: CentrifugoUpstream, token: str) -> Any:
    return call(centrifugo.port, "POST", "/_sandbox/connect", body={"token": token}).json


def test_centrifugo_accepts_a_ws_token_and_knows_its_user(
    beside: App, centrifugo: CentrifugoUpstream
) -> None:
    answer = connect(centrifugo, beside.tokens("ünï")["wsToken"])

    assert answer["connect"]["user"] == "ünï"


@pytest.mark.parametrize("token", ["token", "expired"])
def test_centrifugo_refuses_a_rest_token_and_an_expired_one(
    beside: App, centrifugo: CentrifugoUpstream, token: str
) -> None:
    expired = claims.made_ws("a", iat=1, exp=int(time.time()) - 1)
    shown = beside.tokens("a")["token"] if token == "token" else expired
    answer = connect(centrifugo, shown)
    told = answer.get("disconnect") or answer["error"]

    assert told["code"] == (3500 if token == "token" else 109)


def test_a_revoked_user_is_disconnected(beside: App, centrifugo: CentrifugoUpstream) -> None:
    beside.tokens("alice")

    assert beside.revoke("alice").status == 200
    assert centrifugo.disconnected == ["alice"]


def test_a_deleted_user_is_disconnected(beside: App, centrifugo: CentrifugoUpstream) -> None:
    beside.tokens("bob/1")

    assert beside.ask("DELETE", "/api/users/bob%2F1").status == 200
    assert centrifugo.disconnected == ["bob/1"]


def test_an_unknown_user_is_not(beside: App, centrifugo: CentrifugoUpstream) -> None:
    assert beside.revoke("never-seen").status == 404
    assert centrifugo.disconnected == []


def test_the_check_up_asks_centrifugo(beside: App, centrifugo: CentrifugoUpstream) -> None:
    centrifugo.journal.clear()

    assert call(beside.sidecar.port, "GET", "/-/check-up").status == 200
    assert [one.target for one in centrifugo.journal] == ["/api/info"]


@pytest.mark.parametrize("trouble", ["away", "wrong key", "failing"])
def test_a_disconnect_that_fails_is_502_and_the_tokens_are_dead(
    centrifugo: CentrifugoUpstream, chatsdk_before: Callable[..., Any], trouble: str
) -> None:
    url = f"http://127.0.0.1:{free_port()}/api" if trouble == "away" else f"{centrifugo.url}/api"
    key = "wrong" if trouble == "wrong key" else CENTRIFUGO_KEY

    with chatsdk_before(CENTRIFUGO_API_URL=url, CENTRIFUGO_API_KEY=key) as app:
        token = app.tokens("alice")["token"]

        if trouble == "failing":
            centrifugo.faults.next("status=500", path="/api/disconnect")

        reply = app.revoke("alice")

        assert (reply.status, reply.json["error"]["code"]) == (502, "ERROR")
        assert "Centrifugo" in reply.json["error"]["message"]
        assert app.validate(token).json["error"]["message"] == "Token revoked"
        assert app.ask("DELETE", "/api/users/alice").status == (
            200 if trouble == "failing" else 502
        )
        assert app.user("alice").status == (404 if trouble == "failing" else 200)

        if trouble != "failing":
            assert call(app.sidecar.port, "GET", "/-/check-up").status == 503


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("centrifugo-*.json")), ids=lambda p: p.stem)
def test_the_sample_configuration_holds_the_settings_that_matter(sample: Path) -> None:
    settings = json.loads(sample.read_text())
    flat = "token_hmac_secret_key" in settings
    secret = (
        settings["token_hmac_secret_key"]
        if flat
        else settings["client"]["token"]["hmac_secret_key"]
    )
    key = settings["api_key"] if flat else settings["http_api"]["key"]

    assert "CENTRIFUGO_TOKEN_SECRET" in secret
    assert "CENTRIFUGO_API_KEY" in key
    assert flat == sample.stem.endswith("5")
