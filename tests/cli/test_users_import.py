"""`chatproxy users import`: JSON lines, good ones kept, bad ones listed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import commands
from tests.databases import KINDS, new_database, run_at
from tests.sidecar import bare_environ

NOTHING = {"created": 0, "updated": 0, "existing": 0, "bad": []}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A machine on which the database was not made yet."""
    url = f"sqlite:///{tmp_path}/var/directory.db"
    return bare_environ() | {"DATABASE_URL": url, "KEY_SIGNING_SECRET": "k" * 40}


def imported(
    environ: dict[str, str], content: str, *arguments: str, code: int = 0
) -> dict[str, Any]:
    done = commands.run(environ, "users", "import", "-", "--json", *arguments, stdin=content)
    assert done.returncode == code, done.stderr
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def lines(*rows: Any) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


ALICE = {
    "userId": "1",
    "name": "Алиса",
    "image": "https://cdn.example/1.png",
    "email": "alice@example.com",
    "custom": {"badge": "vip", "list": [1, None]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_users_are_made_and_changed_and_left_alone(kind: str, tmp_path: Path) -> None:
    with new_database(kind, tmp_path) as url:
        environ = bare_environ() | {"DATABASE_URL": url, "KEY_SIGNING_SECRET": "k" * 40}
        assert commands.run(environ, "db", "upgrade").returncode == 0
        first = imported(environ, lines(ALICE, {"userId": "2"}))
        second = imported(environ, lines(ALICE, {"userId": "2", "name": "Bob"}, {"userId": "3"}))

    assert first == NOTHING | {"created": 2}
    assert second == NOTHING | {"created": 1, "updated": 1, "existing": 1}


def test_a_file_is_read_and_a_person_is_told(environ: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "users.jsonl"
    path.write_text(lines(ALICE) + "\n  \n" + lines({"userId": 2}) + lines({"userId": "3"}))
    done = commands.run(environ, "users", "import", str(path))

    assert done.returncode == 1
    assert done.stdout == "created: 2  updated: 0  existing: 0  bad: 1\n"
    assert done.stderr == "line 4: userId: Expected string\n"


BAD = {
    "nonsense": "no plain JSON",
    "{": "no plain JSON",
    '{"userId": "a", "userId": "b"}': "no plain JSON (a name is there twice)",
    '{"userId": "a", "custom": {"x": NaN}}': "no plain JSON",
    '{"userId": "a", "custom": '
    + "[" * 99
    + "]" * 99
    + "}": "no plain JSON (nested more than 64 levels deep)",
    "[]": "Expected object",
    '"a"': "Expected object",
    "7": "Expected object",
    "null": "Expected object",
    "{}": "userId: Required",
    '{"user_id": "a"}': "userId: Required",
    '{"userId": null}': "userId: ",
    '{"userId": ""}': "userId: ",
    '{"userId": 7}': "userId: ",
    '{"userId": true}': "userId: ",
    '{"userId": ["a"]}': "userId: ",
    '{"userId": "%s"}' % ("x" * 256): "userId: ",
    '{"userId": "a\\u0000"}': "userId: Invalid characters",
    '{"userId": "a\\ud800"}': "userId: Invalid characters",
    '{"userId": "a", "name": 7}': "name: ",
    '{"userId": "a", "name": "%s"}' % ("x" * 1025): "name: ",
    '{"userId": "a", "name": "\\u0000"}': "name: Invalid characters",
    '{"userId": "a", "image": "a.png"}': "image: ",
    '{"userId": "a", "image": "javascript:alert(1)"}': "image: ",
    '{"userId": "a", "image": {}}': "image: ",
    '{"userId": "a", "email": "nobody"}': "email: ",
    '{"userId": "a", "custom": []}': "custom: Expected object",
    '{"userId": "a", "custom": "x"}': "custom: Expected object",
    '{"userId": "a", "custom": {"x": "\\udc00"}}': "custom: Invalid characters",
    '{"userId": "a", "custom": {"x": "%s"}}' % ("y" * 70_000): "custom: ",
}


def test_bad_lines_are_listed_and_good_ones_kept(environ: dict[str, str]) -> None:
    content = "".join(f"{bad}\n" + lines({"userId": f"good-{n}"}) for n, bad in enumerate(BAD))
    found = imported(environ, content, code=1)

    assert found["created"] == len(BAD)
    assert [one["line"] for one in found["bad"]] == [1 + 2 * n for n in range(len(BAD))]
    reasons = [one["reason"] for one in found["bad"]]
    assert [(a, b) for a, b in zip(reasons, BAD.values(), strict=True) if not a.startswith(b)] == []
    assert imported(environ, content, code=1)["existing"] == len(BAD)


def test_a_line_that_is_no_utf_8_is_bad(environ: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "users.jsonl"
    path.write_bytes(b'{"userId": "a\xff"}\n\xef\xbb\xbf{"userId": "b"}\n{"userId": "c"}')
    done = commands.run(environ, "users", "import", str(path), "--json")
    found = json.loads(done.stdout)

    assert (done.returncode, found["created"]) == (1, 1)
    assert [one["line"] for one in found["bad"]] == [1, 2]


def test_what_holds_nothing_counts_as_absent(environ: dict[str, str]) -> None:
    nothing = {"userId": "1", "name": None, "image": "", "email": "", "custom": None, "more": 7}

    assert imported(environ, lines(ALICE, nothing)) == NOTHING | {"created": 1, "existing": 1}


def test_an_empty_file_is_no_fault(environ: dict[str, str]) -> None:
    assert imported(environ, "") == imported(environ, "\n\r\n") == NOTHING


def test_an_app_has_users_of_its_own(environ: dict[str, str]) -> None:
    commands.answer(environ, "apps", "create", "Shop", "--id", "shop")

    assert imported(environ, lines(ALICE), "--app", "shop")["created"] == 1
    assert imported(environ, lines(ALICE))["created"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("import",),
        ("import", "/nowhere/users.jsonl"),
        ("import", "-", "--app", "nowhere"),
        ("import", "."),
        ("export", "--app", "nowhere"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_ends_with_a_reason_and_no_traceback(
    environ: dict[str, str], arguments: tuple[str, ...]
) -> None:
    done = commands.run(environ, "users", *arguments, stdin=lines(ALICE))

    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_where_the_database_fails_the_line_is_named(environ: dict[str, str]) -> None:
    imported(environ, lines({"userId": "1"}))
    trigger = "CREATE TRIGGER fault BEFORE INSERT ON users WHEN NEW.external_id = '4'"
    run_at(environ["DATABASE_URL"], f"{trigger} BEGIN SELECT abs(-9223372036854775807 - 1); END")
    done = commands.run(
        environ, "users", "import", "-", stdin=lines(*({"userId": str(n)} for n in range(2, 6)))
    )

    assert done.returncode == 3
    assert "before line 3 is in" in done.stderr
    assert "Traceback" not in done.stderr
    assert imported(environ, lines({"userId": "3"}))["existing"] == 1
