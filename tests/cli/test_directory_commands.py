"""`chatproxy keys`, `apps`, `tokens`, `db`: what a script sees."""

import contextlib
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests import commands
from tests.sidecar import bare_environ

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A machine on which nothing was set up yet."""
    return bare_environ() | {"DATABASE_URL": f"sqlite:///{tmp_path}/var/directory.db"}


def listed(environ: dict[str, str], *arguments: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = commands.answer(environ, "keys", "list", *arguments)
    return rows


def test_a_key_is_made_on_a_bare_machine(environ: dict[str, str]) -> None:
    done = commands.run(environ, "keys", "create", "first", "--json")

    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)) == ["keyId", "keySecret", "apiKey"]
    assert done.stdout.count("\n") == 1


def test_a_secret_that_is_made_on_the_way_is_announced_once(environ: dict[str, str]) -> None:
    first, second = (commands.run(environ, "keys", "list") for _ in range(2))

    assert first.stderr.startswith("KEY_SIGNING_SECRET is not set here: made, and kept in ")
    assert second.stderr == ""


def test_without_json_a_person_can_read_it(environ: dict[str, str]) -> None:
    assert "apiKey: pk_" in commands.run(environ, "keys", "create", "first").stdout


def test_keys_are_listed_without_their_text(environ: dict[str, str]) -> None:
    made = commands.answer(environ, "keys", "create", "backend", "--expires", "90d")
    commands.answer(environ, "keys", "create", "page", "--kind", "client")
    first, second = listed(environ)

    assert first["keyId"] == made["keyId"]
    assert (first["name"], first["kind"], first["state"]) == ("backend", "platform", "good")
    assert (second["kind"], second["expires"], second["lastUsed"]) == ("client", None, None)
    assert ISO.fullmatch(first["expires"])
    assert made["keySecret"] not in json.dumps(listed(environ))


def test_a_key_is_rotated_and_revoked(environ: dict[str, str]) -> None:
    old = commands.answer(environ, "keys", "create", "backend")
    new = commands.answer(environ, "keys", "rotate", old["keyId"], "--overlap", "0s")
    commands.answer(environ, "keys", "revoke", new["keyId"])

    assert [row["state"] for row in listed(environ)] == ["expired", "revoked"]
    assert old["apiKey"] != new["apiKey"]


def test_an_imported_key_is_read_from_stdin_and_not_shown(environ: dict[str, str]) -> None:
    text = "chatsdk_0123456789abcdef0123456789abcdef01234567"
    done = commands.run(environ, "keys", "import", "old", "--json", stdin=text)

    assert list(json.loads(done.stdout)) == ["keyId"]
    assert text not in done.stdout + done.stderr


def test_an_app_has_keys_of_its_own(environ: dict[str, str]) -> None:
    app = commands.answer(environ, "apps", "create", "Second", "--id", "second")
    commands.answer(environ, "keys", "create", "backend", "--app", "second")

    assert app == {"id": "second", "name": "Second"}
    assert [row["app"] for row in listed(environ, "--app", "second")] == ["second"]
    assert [row["id"] for row in commands.answer(environ, "apps", "list")] == ["default", "second"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create", ""),
        ("keys", "create", "x", "--app", "nowhere"),
        ("keys", "create", "x", "--kind", "root"),
        ("keys", "create", "x", "--expires", "soon"),
        ("keys", "create", "x", "--expires", "-1d"),
        ("keys", "create", "x", "--expires", "0s"),
        ("keys", "create", "x", "--expires", "999999999d"),
        ("apps", "create", "x", "--id", ""),
        ("tokens", "revoke", "--user", ""),
        ("keys", "rotate", "pk_none"),
        ("keys", "revoke", "pk_none"),
        ("keys", "import", "x"),
        ("apps", "create", "x", "--id", "a b"),
        ("apps", "create", "x", "--id", "default"),
        ("tokens", "revoke"),
        ("tokens", "revoke", "--user", "a", "--all"),
        ("tokens", "revoke", "--user", "nobody"),
        ("tokens", "revoke", "--all", "--app", "nowhere"),
        ("tokens", "revoke", "--id", "x", "--app", "nowhere"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_ends_with_a_reason_and_no_traceback(
    environ: dict[str, str], arguments: tuple[str, ...]
) -> None:
    done = commands.run(environ, *arguments, "--json")

    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_of_a_later_release_is_left_alone(environ: dict[str, str]) -> None:
    commands.run(environ, "db", "upgrade")
    path = environ["DATABASE_URL"].removeprefix("sqlite:///")

    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()

    done = commands.run(environ, "db", "upgrade")

    assert done.returncode == 3
    assert "of a later release" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("settings", "named", "code"),
    [
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL", 2),
        (
            {"DATABASE_URL": "sqlite:////proc/nowhere/x.db", "KEY_SIGNING_SECRET": "k" * 40},
            "open",
            3,
        ),
        ({"KEY_SIGNING_SECRET": "short"}, "KEY_SIGNING_SECRET", 2),
        ({"BIND_HOST": "0.0.0.0"}, "KEY_SIGNING_SECRET: is missing", 2),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_settings_are_named(
    environ: dict[str, str], settings: dict[str, str], named: str, code: int
) -> None:
    done = commands.run(environ | settings, "keys", "list")

    assert done.returncode == code
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert "short" not in done.stderr.replace("KEY_SIGNING_SECRET", "")


def test_an_upgrade_may_be_repeated(environ: dict[str, str]) -> None:
    assert commands.run(environ, "db", "upgrade").returncode == 0
    assert commands.run(environ, "db", "upgrade").returncode == 0
