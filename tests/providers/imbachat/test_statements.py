"""What 500 ids cost the database: one statement."""

import time
from pathlib import Path

import pytest

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.identity.records import Profile
from chatproxy.identity.schema import upgrade
from chatproxy.providers import SETTINGS
from tests.databases import KINDS, new_database
from tests.identity.databases import statements
from tests.providers.imbachat.conftest import ACCOUNT, LOGIN, PASSWORD, basic

IDS = range(10_000, 10_500)
KNOWN = IDS[:40]


@pytest.mark.parametrize("kind", KINDS)
def test_500_ids_are_one_statement(kind: str, tmp_path: Path) -> None:
    path = "/imbachat/users/" + ",".join(map(str, IDS))
    field = dict([basic(LOGIN, PASSWORD).split(": ", 1)])

    with new_database(kind, tmp_path) as url:
        environ = ACCOUNT | {"PROVIDERS": "imbachat", "DATABASE_URL": url}
        app = create_app(settings.load(SETTINGS, environ))
        services = app.extensions["chatproxy"]
        upgrade(services.directory.database)

        for number in KNOWN:
            services.directory.users.upsert("default", str(number), Profile(f"Name {number}"))

        with statements(services.directory) as seen:
            started = time.monotonic()
            reply = app.test_client().get(path, headers=field, environ_overrides={"RAW_URI": path})
            took = (time.monotonic() - started) * 1000

        services.close()

    print(f"{kind}: 500 ids, {len(seen)} statement, {took:.1f} ms")
    assert reply.status_code == 200
    assert [one["user_id"] for one in reply.get_json()] == list(KNOWN)
    assert [statement.split()[0] for statement in seen] == ["SELECT"]
