"""A token that is exchanged while its user is revoked."""

from pathlib import Path
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.identity.schema import upgrade
from chatproxy.limiting.limiter import Limiter
from chatproxy.providers import SETTINGS
from chatproxy.services import Services
from tests.providers.chatsdk.conftest import TOKEN_SECRETS


def test_a_revocation_during_an_exchange_ends_the_new_token_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token was checked before, so what it is exchanged for is as old."""
    url = f"sqlite:///{tmp_path / 'chatproxy.db'}"
    environ = TOKEN_SECRETS | {"PROVIDERS": "chatsdk", "DATABASE_URL": url}
    app = create_app(settings.load(SETTINGS, environ))
    services: Services = app.extensions["chatproxy"]
    directory = services.directory
    assert directory is not None
    upgrade(directory.database)
    key = directory.keys.create("tests", DEFAULT_APP)
    client = app.test_client()
    issued = client.post("/tokens", json={"userId": "ann"}, headers={"X-API-Key": key.text}).json
    assert issued is not None
    spend = Limiter.spend

    def revoked_meanwhile(*arguments: Any, **named: Any) -> Any:
        assert directory.tokens.revoke_user(DEFAULT_APP, "ann")
        return spend(*arguments, **named)

    monkeypatch.setattr(Limiter, "spend", revoked_meanwhile)
    old = {"Authorization": f"Bearer {issued['token']}"}
    exchanged = client.post("/tokens/refresh", headers=old).json
    assert exchanged is not None
    new = {"Authorization": f"Bearer {exchanged['token']}"}

    assert client.get("/tokens/validate", headers=new).status_code == 401
    services.close()
