"""A database that cannot hold every text, as an operator and a caller see it."""

from pathlib import Path

import pytest

from tests import commands
from tests.calls import call
from tests.databases import odd_database
from tests.providers.chatsdk.conftest import TOKEN_SECRETS, App
from tests.sidecar import Sidecar, bare_environ

MEND = "run `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`"
C = "LC_COLLATE 'C' LC_CTYPE 'C'"


@pytest.mark.parametrize(("encoding", "status"), [("SQL_ASCII", 200), ("LATIN1", 400)])
def test_what_it_can_hold_works_and_the_rest_is_told(
    output_folder: Path, encoding: str, status: int
) -> None:
    with odd_database(f"ENCODING '{encoding}' {C}") as url:
        environ = TOKEN_SECRETS | {"PROVIDERS": "chatsdk", "DATABASE_URL": url}
        done = commands.run(bare_environ() | environ, "db", "upgrade")
        assert done.returncode == 0
        assert done.stderr.count(MEND) == 1
        assert len(done.stderr.splitlines()) == 2

        with Sidecar(output_folder / f"chatsdk-{encoding}.log", environ) as sidecar:
            key = commands.answer(sidecar.environ, "keys", "create", "tests")
            app = App(sidecar, key["apiKey"], key["keyId"])

            assert app.issue("jörg", name="Jörg").status == 200
            assert app.user("jörg").json["user"]["name"] == "Jörg"
            reply = app.issue("wang", name="王小明")
            assert reply.status == status

            if status == 400:
                assert "the directory's database has no such character" in reply.raw.body.decode()

            assert MEND in call(sidecar.port, "GET", "/-/ready").json["directory"]["encoding"]
            assert call(sidecar.port, "GET", "/-/check-up").status == 200

        assert [MEND in line["msg"] for line in sidecar.lines()].count(True) == 1


def test_one_that_cannot_be_spoken_to_is_one_message() -> None:
    with odd_database(f"ENCODING 'MULE_INTERNAL' {C}") as url:
        environ = bare_environ() | TOKEN_SECRETS | {"DATABASE_URL": url}
        done = commands.run(environ, "db", "upgrade")

    assert done.returncode == 3
    assert MEND in done.stderr
    assert len(done.stderr.splitlines()) == 1
