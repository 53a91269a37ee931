"""The status routes, with and without the trailing slash."""

import json
from collections.abc import Callable
from importlib.metadata import version

import pytest
import responses
from flask.testing import FlaskClient
from requests.adapters import HTTPAdapter

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from tests.sidecar import Sidecar, free_port
from tests.wire import ask, get

OK = {"status": "OK", "name": "chatproxy", "version": version("chatproxy")}
BASE = "https://chat.stream-io-api.com"


@pytest.fixture
def client() -> FlaskClient:
    environ = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}
    app = create_app(settings.load(SETTINGS, environ))
    # `responses` stands in for requests' own adapter, not for ours.
    app.extensions["chatproxy"].peers["stream"].way.session.mount(f"{BASE}/", HTTPAdapter())
    return app.test_client()


@pytest.mark.parametrize("path", ["/-/healthz", "/-/healthz/", "/-/ready", "/-/ready/"])
def test_liveness_and_readiness_ask_nobody(client: FlaskClient, path: str) -> None:
    with responses.RequestsMock():
        answer = client.get(path)

    assert (answer.status_code, answer.get_json()) == (200, OK)


@pytest.mark.parametrize("path", ["/-/check-up", "/-/check-up/"])
def test_check_up_asks_the_provider_with_our_credential(client: FlaskClient, path: str) -> None:
    with responses.RequestsMock() as provider:
        provider.get(f"{BASE}/app", json={})
        answer = client.get(path)
        (asked,) = provider.calls

    assert (answer.status_code, answer.get_json()) == (200, OK)
    assert asked.request.url == f"{BASE}/app?api_key=key"
    assert asked.request.headers["stream-auth-type"] == "jwt"


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_check_up_fails_where_the_provider_does_not_accept_us(
    client: FlaskClient, status: int
) -> None:
    with responses.RequestsMock() as provider:
        provider.get(f"{BASE}/app", status=status)
        answer = client.get("/-/check-up")

    assert answer.status_code == 503
    assert answer.get_json() == OK | {"status": "KO", "message": f"stream: answered {status}."}


def test_a_credential_refused_at_check_up_shows_on_ready(client: FlaskClient) -> None:
    with responses.RequestsMock() as provider:
        provider.get(f"{BASE}/app", status=401)
        client.get("/-/check-up")

    assert client.get("/-/ready").get_json()["credentials"] == {"stream": "refused by the provider"}


def test_check_up_names_no_address_where_the_provider_is_away(
    sidecar_before: Callable[..., Sidecar],
) -> None:
    port = free_port()

    with sidecar_before(f"http://127.0.0.1:{port}") as sidecar:
        answer = ask(sidecar.port, get("/-/check-up"))
        assert ask(sidecar.port, get("/-/ready")).status == 200

    assert answer.status == 503
    assert json.loads(answer.body)["message"] == "stream: The chat provider could not be reached."
