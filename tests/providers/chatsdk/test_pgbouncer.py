"""The sidecar and its commands behind a pooler, with nothing but its URL set."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import commands
from tests.calls import call
from tests.databases import new_database
from tests.postgresql import pgbouncer
from tests.providers.chatsdk.conftest import OFTEN, TOKEN_SECRETS, App
from tests.sidecar import Sidecar


def test_everything_works_behind_a_pooler(output_folder: Path, tmp_path: Path) -> None:
    with new_database("postgresql", tmp_path) as server, pgbouncer(server) as url:
        environ = TOKEN_SECRETS | {
            "PROVIDERS": "chatsdk",
            "DATABASE_URL": url,
            "TOKEN_RATE_LIMIT": OFTEN,
        }

        with Sidecar(output_folder / "chatsdk-pooler.log", environ) as sidecar:
            commands.run(sidecar.environ, "db", "upgrade")
            key = commands.answer(sidecar.environ, "keys", "create", "tests")
            app = App(sidecar, key["apiKey"], key["keyId"])

            with ThreadPoolExecutor(10) as pool:
                replies = list(pool.map(lambda n: app.issue(f"user-{n % 7}"), range(100)))

            assert {reply.status for reply in replies} == {200}
            assert app.validate(replies[0].json["token"]).status == 200
            assert app.revoke("user-0").status == 200
            assert app.validate(replies[0].json["token"]).status == 401
            assert call(sidecar.port, "GET", "/-/check-up").status == 200
