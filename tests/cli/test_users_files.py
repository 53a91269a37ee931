"""`chatproxy users import` and `export`: CSV and JSON lines, whatever is wrong with a file."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from chatproxy.cli.users.records import LONGEST_LINE
from tests import commands
from tests.databases import KINDS, new_directory, run_at
from tests.sidecar import ROOT, bare_environ

HEADER = "userId,name,image,email,custom\n"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return environ_at(f"sqlite:///{tmp_path}/directory.db")


def environ_at(url: str) -> dict[str, str]:
    return bare_environ() | {"DATABASE_URL": url, "KEY_SIGNING_SECRET": "k" * 40}


def imported(
    environ: dict[str, str], path: Path, content: str | bytes, *arguments: str, code: int = 0
) -> dict[str, Any]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = commands.run(environ, "users", "import", str(path), "--json", *arguments)
    assert done.returncode == code, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def exported(environ: dict[str, str], *arguments: str) -> list[dict[str, Any]]:
    done = commands.run(environ, "users", "export", *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n") if line]


#: Values that a file format, a spreadsheet or a database could change on the way.
VALUES = [
    "plain",
    "with, comma",
    'with "quotes"',
    "two\nlines",
    "two\r\nlines",
    "carriage\rreturn",
    " spaces around ",
    "\ttab",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "'apostrophe",
    "007",
    "1e3",
    "TRUE",
    "null",
    "NULL",
    "\ufeffmark",
    "e\u0301 and \u00e9",
    "\u2028\u2029\x1c\x85",
    "👩‍💻 Алиса",
    "\x01\x1b[31mred",
    "trailing\\",
    '"',
    ",",
    "\n",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_exported_is_imported_with_the_same_values(
    kind: str, form: str, tmp_path: Path
) -> None:
    users = [
        {"userId": f"{number} {value}", "name": value, "custom": {value: [value, 1, 1.0, None]}}
        for number, value in enumerate(VALUES)
    ]
    users += [{"userId": "=bare"}, {"userId": "e", "email": "a@example.com", "image": "x:y,z"}]
    lines = "".join(json.dumps(one) + "\n" for one in users)
    path = tmp_path / f"users.{form}"

    with new_directory(kind, tmp_path) as url, new_directory(kind, tmp_path) as other:
        found = imported(environ_at(url), tmp_path / "users.json", lines)
        done = commands.run(environ_at(url), "users", "export", str(path), "--json")
        again = commands.run(environ_at(other), "users", "import", str(path), "--json")
        before, after = exported(environ_at(url)), exported(environ_at(other))

    assert found["bad"] == []
    assert json.loads(done.stdout) == {"exported": len(users), "file": str(path)}
    assert json.loads(again.stdout)["created"] == len(users), again.stdout
    assert {one["userId"]: one for one in users} == {one["userId"]: one for one in before}
    assert before == after
    assert path.stat().st_mode & 0o777 == 0o600


BAD_ROWS = {
    b"a\n": "it has 1 fields, and the header has 5",
    b"a,b,c,d,e,f\n": "it has 6 fields, and the header has 5",
    b",b,,,\n": "userId: ",
    b"x\xff,,,,\n": "byte 0xFF is no UTF-8: save the file as UTF-8",
    "ü,ü,,,\n".encode("latin-1"): "byte 0xFC is no UTF-8",
    b"a\0,,,,\n": "userId: Invalid characters",
    b"%s,,,,\n" % (b"x" * 256): "userId: ",
    b"a,%s,,,\n" % (b"x" * 1025): "name: ",
    b"a,,,nobody,\n": "email: ",
    b"a,,a.png,,\n": "image: ",
    b"a,,,,x\n": "custom: no plain JSON",
    b"a,,,,[]\n": "custom: Expected object",
    b'a,,,,"{""x"": ""%s""}"\n' % (b"y" * 70_000): "custom: ",
    b'a,"b"c,,,\n': "no CSV (",
    b"a," + b"x" * (LONGEST_LINE + 10) + b",,,\n": "longer than ",
    b"a," + b"x" * 200_000 + b",,,\n": "no CSV (field larger than field limit",
}


def test_bad_rows_are_listed_by_their_lines_and_good_ones_kept(
    environ: dict[str, str], tmp_path: Path
) -> None:
    good = [f'good-{n},"two\nlines",,,\n'.encode() for n in range(len(BAD_ROWS))]
    content = HEADER.encode() + b"".join(bad + one for bad, one in zip(BAD_ROWS, good, strict=True))
    rejects = tmp_path / "bad.csv"
    found = imported(environ, tmp_path / "u.csv", content, "--rejects", str(rejects), code=1)

    assert found["created"] == len(BAD_ROWS)
    assert [one["line"] for one in found["bad"]] == [2 + 3 * n for n in range(len(BAD_ROWS))]
    reasons = [one["reason"] for one in found["bad"]]
    assert [(a, b) for a, b in zip(reasons, BAD_ROWS.values(), strict=True) if b not in a] == []
    # As they stand; of one that is too long the beginning.
    taken_back = rejects.read_bytes()
    assert taken_back.startswith(HEADER.encode() + b"a\na,b,c,d,e,f\n,b,,,\nx\xff,,,,\n")
    assert b"good" not in taken_back


def test_a_quote_that_is_not_closed_is_one_bad_row(environ: dict[str, str], tmp_path: Path) -> None:
    found = imported(environ, tmp_path / "u.csv", HEADER + 'a,,,,\nb,"open,,,\nc,,,,', code=1)

    assert (found["created"], [one["line"] for one in found["bad"]]) == (1, [3])
    assert "no CSV (unexpected end of data)" in found["bad"][0]["reason"]


GOOD_FILES = {
    "a byte order mark": b"\xef\xbb\xbfuserId,name\n1,Bob\n",
    "CRLF": b"userId,name\r\n1,Bob\r\n",
    "no end of the last line": b"userId,name\n1,Bob",
    "blank lines": b"\n\nuserId,name\n\n1,Bob\n\n\r\n",
    "another order": b"name,userId\nBob,1\n",
    "spaces in the header": b"userId, name\n1,Bob\n",
    "quotes around all": b'"userId","name"\n"1","Bob"\n',
}


@pytest.mark.parametrize("name", GOOD_FILES)
def test_a_file_may_have(name: str, environ: dict[str, str], tmp_path: Path) -> None:
    assert imported(environ, tmp_path / "u.CSV", GOOD_FILES[name])["created"] == 1
    assert exported(environ) == [{"userId": "1", "name": "Bob"}]


BAD_FILES = {
    "empty": (b"", "line 1: the file is empty: CSV needs a header"),
    "a mark alone": (b"\xef\xbb\xbf", "line 1: the file is empty"),
    "no column userId": (b"id,name\n1,Bob\n", "line 1: there is no column userId"),
    "no header": (b"1,Bob\n", "line 1: there is no column userId"),
    "semicolons": (b"userId;name\n1;Bob\n", "Columns are separated by commas."),
    "a column twice": (b"userId,name,name\n", "line 1: the column name is there twice"),
    "UTF-16": ("userId,name\n1,Bob\n".encode("utf-16"), "line 1: the file is UTF-16, not UTF-8"),
    "UTF-32": ("userId,name\n1,Bob\n".encode("utf-32"), "line 1: the file is UTF-32, not UTF-8"),
    "Latin-1 in the header": (b"userId,\xfc\n1,Bob\n", "line 1: byte 0xFC is no UTF-8"),
    "a header with an open quote": (b'"userId,name\n1,Bob\n', "line 1: no CSV ("),
    "a later header": (b"\n\nid\n", "line 3: there is no column userId"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_read_is_refused(
    name: str, environ: dict[str, str], tmp_path: Path
) -> None:
    content, said = BAD_FILES[name]
    (tmp_path / "u.csv").write_bytes(content)
    done = commands.run(environ, "users", "import", str(tmp_path / "u.csv"))

    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert exported(environ) == []


def test_a_header_alone_has_no_users(environ: dict[str, str], tmp_path: Path) -> None:
    assert imported(environ, tmp_path / "u.csv", HEADER)["created"] == 0


def test_columns_that_are_not_read_are_told(environ: dict[str, str], tmp_path: Path) -> None:
    content = "userId,Email,name\n1,a@example.com,Bob\n"
    found = imported(environ, tmp_path / "u.csv", content)
    done = commands.run(environ, "users", "import", str(tmp_path / "u.csv"))

    assert (found["created"], found["ignoredColumns"]) == (1, ["Email"])
    assert done.stderr == "ignored columns: 'Email'\n"


def test_of_an_id_that_is_there_twice_the_later_row_counts(
    environ: dict[str, str], tmp_path: Path
) -> None:
    content = "userId,name,email\n1,A,a@example.com\n1,B,\n1,B,\n"
    found = imported(environ, tmp_path / "u.csv", content)

    assert (found["created"], found["updated"], found["existing"]) == (1, 1, 1)
    assert exported(environ) == [{"userId": "1", "name": "B", "email": "a@example.com"}]


def test_json_lines_may_begin_with_a_mark_and_be_too_long(
    environ: dict[str, str], tmp_path: Path
) -> None:
    long = b'{"userId": "%s"}\n' % (b"x" * (3 * LONGEST_LINE))
    content = b'\xef\xbb\xbf{"userId": "1"}\r\n' + long + b'{"userId": "2"}\n{"userId": "\xe9"}\n'
    found = imported(environ, tmp_path / "u.jsonl", content, code=1)

    assert found["created"] == 2
    assert [one["line"] for one in found["bad"]] == [2, 4]
    assert found["bad"][1]["reason"] == "byte 0xE9 is no UTF-8: save the file as UTF-8"


@pytest.mark.parametrize("kind", KINDS)
def test_all_or_nothing(kind: str, tmp_path: Path) -> None:
    rows = "".join(f"{n},,,,\n" for n in range(1200))
    path = tmp_path / "u.csv"

    with new_directory(kind, tmp_path) as url:
        environ = environ_at(url)
        bad = HEADER + rows + "bad\n" + rows + "worse\n"
        refused = imported(environ, path, bad, "--all-or-nothing", code=1)
        assert exported(environ) == []
        taken = imported(environ, path, HEADER + rows, "--all-or-nothing")
        assert len(exported(environ)) == 1200

    assert [one["line"] for one in refused["bad"]] == [1202, 2403]
    assert (refused["created"], taken["created"]) == (0, 1200)


def test_a_failure_in_the_middle_of_all_or_nothing_leaves_nothing(
    environ: dict[str, str], tmp_path: Path
) -> None:
    commands.run(environ, "db", "upgrade")
    trigger = "CREATE TRIGGER fault BEFORE INSERT ON users WHEN NEW.external_id = '999'"
    run_at(environ["DATABASE_URL"], f"{trigger} BEGIN SELECT abs(-9223372036854775807 - 1); END")
    path = tmp_path / "u.csv"
    path.write_text(HEADER + "".join(f"{n},,,,\n" for n in range(1200)))
    done = commands.run(environ, "users", "import", str(path), "--all-or-nothing")

    assert (done.returncode, done.stdout) == (3, "")
    assert "; nothing is in" in done.stderr
    assert exported(environ) == []


def test_more_bad_rows_than_are_listed_are_counted(environ: dict[str, str], tmp_path: Path) -> None:
    found = imported(environ, tmp_path / "u.csv", "userId\n" + "a,b\n" * 1500, code=1)

    assert (len(found["bad"]), found["moreBad"]) == (1000, 500)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_whoever_interrupts_is_told_how_much_is_in(
    asked: signal.Signals, environ: dict[str, str]
) -> None:
    commands.run(environ, "db", "upgrade")

    with subprocess.Popen(
        [sys.executable, "-m", "chatproxy.cli", "users", "import", "-"],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        # The second batch is not full: it is interrupted while it waits for more.
        rows = "".join(json.dumps({"userId": str(n)}) + "\n" for n in range(700))
        process.stdin.write(rows.encode())
        process.stdin.flush()
        until = time.monotonic() + 60

        while len(exported(environ)) < 500 and time.monotonic() < until:
            time.sleep(0.1)

        process.send_signal(asked)
        stdout, stderr = process.communicate(timeout=60)

    assert process.returncode == 128 + asked
    assert stdout == b""
    assert b"500 users are in: what stands before line 501 is in" in stderr
    assert b"Traceback" not in stderr


def test_a_bar_is_shown_at_a_terminal_only(environ: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "u.csv"
    path.write_text(HEADER + "".join(f"{n},,,,\n" for n in range(700)))
    leader, follower = os.openpty()
    command = [sys.executable, "-m", "chatproxy.cli", "users", "import", str(path)]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, stderr=follower, stdout=subprocess.PIPE, check=True
    )
    os.close(follower)

    shown = b""

    while b"100%" not in shown:
        shown += os.read(leader, 65536)  # fails at the end

    assert done.stdout.startswith(b"created: 700")
    assert commands.run(environ, "users", "import", str(path)).stderr == ""


def test_an_export_replaces_nothing_unless_it_is_told_to(
    environ: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "users.csv"
    path.write_text("precious")
    refused = commands.run(environ, "users", "export", str(path))

    assert refused.returncode == 1
    assert "is there already" in refused.stderr
    assert path.read_text() == "precious"
    assert commands.run(environ, "users", "export", str(path), "--force").returncode == 0
    assert next(csv.reader(io.StringIO(path.read_text())))[0] == "userId"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_full_disk_below_an_export_is_told(environ: dict[str, str], tmp_path: Path) -> None:
    rows = "".join(f"{n},{'x' * 100},,,\n" for n in range(2000))
    imported(environ, tmp_path / "u.csv", HEADER + rows)
    done = commands.run(environ, "users", "export", "/dev/full")
    program = f"{sys.executable} -m chatproxy.cli"
    limited = f"ulimit -f 100; {program} users export {tmp_path}/out.csv"
    cut = commands.finished(["bash", "-c", limited], environ)

    assert done.returncode == cut.returncode == 3
    assert "/dev/full cannot be written (No space left on device)" in done.stderr
    assert "out.csv cannot be written (File too large)" in cut.stderr
    assert not (tmp_path / "out.csv").exists()
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_full_disk_below_the_database_is_told_with_what_is_in(
    environ: dict[str, str], tmp_path: Path
) -> None:
    commands.run(environ, "db", "upgrade")
    path = tmp_path / "u.csv"
    path.write_text(HEADER + "".join(f"{n},{'x' * 900},,,\n" for n in range(3000)))
    program = f"{sys.executable} -m chatproxy.cli"
    done = commands.finished(
        ["bash", "-c", f"ulimit -f 1500; {program} users import {path}"], environ
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert "Traceback" not in done.stderr
    assert "what stands before line " in done.stderr
    count = int(done.stderr.partition(" users are in")[0].rpartition(" ")[2])
    assert len(exported(environ)) == count


def test_a_user_is_shown_and_deleted(environ: dict[str, str], tmp_path: Path) -> None:
    imported(environ, tmp_path / "u.csv", HEADER + 'a,Ann,,,"{""x"": 1}"\n')
    shown = commands.answer(environ, "users", "show", "a")

    assert (shown["userId"], shown["name"], shown["custom"]) == ("a", "Ann", {"x": 1})
    refused = commands.run(environ, "users", "delete", "a")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "give --yes" in refused.stderr
    assert commands.answer(environ, "users", "delete", "a", "--yes")["deleted"] is True

    for arguments in (("show", "a"), ("delete", "a", "--yes")):
        done = commands.run(environ, "users", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert "there is no user a in the app default" in done.stderr
