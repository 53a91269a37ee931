"""The application without a server in front of it, for what needs no socket."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.identity.schema import upgrade
from chatproxy.providers import SETTINGS
from chatproxy.services import Services
from tests.providers.chatsdk.conftest import OFTEN, TOKEN_SECRETS


@dataclasses.dataclass
class House:
    """An application with its directory, and a key of the default app."""

    client: FlaskClient
    services: Services
    directory: Directory
    key: str

    def ask(self, method: str, path: str, body: Any = None, **fields: str) -> TestResponse:
        """Call with the key."""
        headers = {"X-API-Key": self.key} | fields
        return self.client.open(path, method=method, json=body, headers=headers)

    def bearing(self, token: str, method: str, path: str, body: Any = None) -> TestResponse:
        """Call as a client does, with a token only."""
        bearer = {"Authorization": f"Bearer {token}"}
        return self.client.open(path, method=method, json=body, headers=bearer)

    def tokens(self, user_id: str) -> dict[str, Any]:
        return told(self.ask("POST", "/tokens", {"userId": user_id}))

    def connect(self, user_id: str, **profile: Any) -> dict[str, Any]:
        return told(self.ask("POST", "/api/auth/connect", {"userId": user_id, **profile}))

    def renew(self, token: str) -> TestResponse:
        return self.bearing(token, "POST", "/api/auth/refresh")

    def exchange(self, token: str) -> TestResponse:
        return self.bearing(token, "POST", "/tokens/refresh")

    def validate(self, token: str) -> TestResponse:
        return self.bearing(token, "GET", "/tokens/validate")

    def validate_ws(self, token: str) -> TestResponse:
        return self.bearing(token, "GET", "/tokens/validate-ws")

    def revoke(self, user_id: str) -> TestResponse:
        return self.ask("POST", f"/api/users/{user_id}/revoke-tokens")


def told(answer: TestResponse) -> dict[str, Any]:
    """The document in an answer that is no refusal."""
    assert answer.status_code == 200, answer.json
    found: dict[str, Any] = answer.json or {}
    return found


def message(answer: TestResponse) -> str:
    """Why a token was refused."""
    assert answer.status_code == 401, answer.json
    assert answer.json is not None
    found: str = answer.json["error"]["message"]
    return found


@contextlib.contextmanager
def house(folder: Path, more: Mapping[str, str]) -> Iterator[House]:
    """Open an application with these settings; its directory is a file in the folder."""
    environ = TOKEN_SECRETS | {
        "PROVIDERS": "chatsdk",
        "DATABASE_URL": f"sqlite:///{folder / 'chatproxy.db'}",
        "TOKEN_RATE_LIMIT": OFTEN,
        "AUTH_FAILURE_LIMIT": OFTEN,
    }
    app = create_app(settings.load(SETTINGS, environ | dict(more)))
    services: Services = app.extensions["chatproxy"]
    directory = services.directory
    assert directory is not None
    upgrade(directory.database)
    key = directory.keys.create("tests", DEFAULT_APP)

    try:
        yield House(app.test_client(), services, directory, key.text)
    finally:
        services.close()
