"""Every command of the tree, in whatever state its surroundings are: a code and a line, no more.

A new command is covered as soon as it is in the tree. What it needs on its command line is taken
from `SAMPLES`, by the names of its parameters.
"""

import contextlib
import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from chatproxy.cli import main
from tests import commands
from tests.databases import new_database, new_directory, run_at
from tests.sidecar import ROOT, bare_environ, free_port

#: Two become another process (tests/cli/test_serve.py, tests/sandbox/test_local_run.py); the third
#: is the former name of `token`.
LEFT_OUT = {"run", "serve", "tokens"}

#: For each parameter that a command requires.
SAMPLES = {
    "name": "sample",
    "user_id": "1",
    "agent_id": "sample",
    "key_id": "pk_sample",
    "shell": "bash",
    "caller": "sample",
    "method": "GET",
    "path": "/token/alice",
    "file": "in.json",
    "signature": "0" * 64,
}
#: Where the parameter's name alone does not tell.
FURTHER = {
    ("users", "delete"): ["--yes"],
    ("users", "import"): [],
    ("users", "export"): ["-"],
    ("token", "revoke"): ["--user", "1"],
    ("db", "backup"): ["--force"],
}

#: What is in the file that a command reads, and on stdin: a text that could be a key or a token.
FILES = {
    (): '{"userId": "1"}\n',
    ("agents", "import"): '[{"id": "sample", "name": "Sample"}]\n',
}
STDIN = "sample_0123456789abcdef0123456789abcdef01234567\n"

#: Commands that do what they do without a database, and those that need no settings either.
NO_DATABASE = {
    *("completion", "health", "openapi", "webhook", "config", "access", "token mint"),
    "permissions",
}
NO_SETTINGS = {"completion", "health", "access key"}

ACCOUNT = {
    "STREAM_API_KEY": "key",
    "STREAM_API_SECRET": "canary-" + "s" * 40,
    # Nobody is there, so a command that asks Stream ends with 3 at once.
    "STREAM_BASE_URL": "http://127.0.0.1:9",
    "KEY_SIGNING_SECRET": "canary-" + "k" * 40,
    "IMKIT_APP": "default",
}


def leaves(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command of the tree with the words that lead to it."""
    if isinstance(command, click.Group):
        context = click.Context(command)

        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from leaves(inner, (*path, name))
    else:
        yield path, command


COMMANDS = {path: command for path, command in leaves(main) if path[0] not in LEFT_OUT}


def arguments_of(path: tuple[str, ...], command: click.Command) -> list[str]:
    """What a command is called with."""
    words = [*path, *FURTHER.get(path, ())]

    for one in command.params:
        if one.required:
            assert one.name in SAMPLES, f"{' '.join(path)} needs a sample for {one.name}"
            options = [one.opts[0]] if isinstance(one, click.Option) else []
            words += [*options, SAMPLES[str(one.name)]]

    return words


def belongs(path: tuple[str, ...], names: set[str]) -> bool:
    return path[0] in names or " ".join(path) in names


Ends = dict[tuple[str, ...], dict[str, Any]]


def ends(
    tmp_path: Path, environ: Mapping[str, str], *, stdout: str = "", limit: int = 0, seed: str = ""
) -> Ends:
    """Run every command in a folder and with a database of its own; return how each ended.

    `seed` is a SQLite file to begin with.
    """
    runs = []

    for number, (path, command) in enumerate(COMMANDS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "stdin").write_text(STDIN)
        (folder / "in.json").write_text(FILES.get(path, FILES[()]))
        own = dict(environ)

        if seed:
            shutil.copyfile(seed, folder / "d.db")
            (folder / "d.db").chmod(0o600)

        own.setdefault("DATABASE_URL", f"sqlite:///{folder}/d.db")
        runs.append(
            {
                "arguments": arguments_of(path, command),
                "environ": own,
                "folder": str(folder),
                "stdout": stdout,
                "limit": limit,
            }
        )

    listed = tmp_path / "runs.json"
    listed.write_text(json.dumps(runs))
    done = commands.finished(
        [sys.executable, "-m", "tests.cli.forked", str(listed)],
        bare_environ(),
        folder=ROOT,
        within=600,
    )
    assert done.returncode == 0, done.stderr
    found = dict(zip(COMMANDS, json.loads(listed.read_text()), strict=True))

    for path, one in found.items():
        said = f"{' '.join(path)}: {one}"
        assert "Traceback" not in one["stderr"], said
        assert "canary" not in one["stdout"] + one["stderr"], said
        assert one["code"] in (0, 1, 2, 3, 141), said

        if one["code"] in (2, 3):
            assert one["stderr"], said

    return found


def codes(found: Ends) -> dict[str, int]:
    return {" ".join(path): one["code"] for path, one in found.items()}


def others(found: Ends, without: set[str]) -> Ends:
    return {path: one for path, one in found.items() if not belongs(path, without)}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A SQLite file with the newest schema."""
    with new_directory("sqlite", tmp_path_factory.mktemp("schema")) as url:
        yield url.removeprefix("sqlite:///")


def at_version(schema: str, version: str, folder: Path) -> str:
    path = folder / "seed.db"
    shutil.copyfile(schema, path)

    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])
        connection.commit()

    return str(path)


def test_every_command_has_help_with_an_example() -> None:
    for path, command in leaves(main):
        assert command.help, path
        assert command.epilog, f"{' '.join(path)} has no examples"
        assert f"chatproxy {path[0]}".rstrip("s") in command.epilog


def test_what_a_program_would_read_is_there_as_json() -> None:
    prose = {"completion", "health", "openapi", "run", "serve"}

    for path, command in leaves(main):
        options = {option for one in command.params for option in one.opts}
        assert belongs(path, prose) or "--json" in options, path


def test_with_nothing_set(tmp_path: Path) -> None:
    found = ends(tmp_path, bare_environ())

    # Stream is on, and its account is missing. The directory's commands do without it.
    assert codes(found)["check"] == 1
    assert {codes(found)[one] for one in ("config show", "webhook sign", "token mint")} == {2}
    assert {codes(found)[one] for one in ("keys list", "apps list", "db upgrade")} == {0}


def test_with_bad_settings(tmp_path: Path) -> None:
    bad = ACCOUNT | {"DATABASE_URL": "mysql://u:canary@x/y", "HTTP_PORT": "x", "PROVIDERS": "imkit"}
    found = ends(tmp_path, bare_environ() | bad)
    reading = others(found, NO_SETTINGS | {"openapi", "check", "access explain"})

    assert {name: code for name, code in codes(reading).items() if code != 2} == {}
    assert codes(found)["check"] == 1


def test_with_a_database_that_is_not_there_yet(tmp_path: Path) -> None:
    found = ends(tmp_path, bare_environ() | ACCOUNT)

    away = {"db backup", "permissions export"}
    assert {name for name, code in codes(found).items() if code == 3} == away


@pytest.mark.parametrize("version", ["9999", "0001"], ids=["later", "earlier"])
def test_with_a_schema_of_another_release(version: str, schema: str, tmp_path: Path) -> None:
    if version == "0001":
        pytest.importorskip("alembic")
        seed = str(tmp_path / "old.db")
        _migrated_to(seed, version)
    else:
        seed = at_version(schema, version, tmp_path)

    found = ends(tmp_path, bare_environ() | ACCOUNT | {"PROVIDERS": "stream,imkit"}, seed=seed)
    asking = codes(others(found, NO_DATABASE | {"check", "db current", "db backup"}))

    if version == "9999":
        assert {name: code for name, code in asking.items() if code != 3} == {}
        assert codes(found)["check"] == codes(found)["db current"] == 1
    else:
        # A SQLite file is upgraded on the way, as at the start of the sidecar.
        assert {name: code for name, code in asking.items() if code > 1} == {}
        assert codes(found)["db current"] == 1


def test_with_a_file_that_is_no_database(tmp_path: Path) -> None:
    seed = tmp_path / "seed.db"
    seed.write_bytes(b"this is no database, whatever its name says" * 100)
    environ = bare_environ() | ACCOUNT | {"PROVIDERS": "stream,imkit"}
    asking = codes(others(ends(tmp_path, environ, seed=str(seed)), NO_DATABASE | {"check"}))

    assert {name: code for name, code in asking.items() if code != 3} == {}


def test_with_a_postgresql_server_that_is_away(tmp_path: Path) -> None:
    url = f"postgresql://u:canary@127.0.0.1:{free_port()}/d"
    environ = bare_environ() | ACCOUNT | {"DATABASE_URL": url, "PROVIDERS": "stream,imkit"}
    found = ends(tmp_path, environ)
    asking = codes(others(found, NO_DATABASE | {"check", "db backup"}))

    assert {name: code for name, code in asking.items() if code != 3} == {}
    assert codes(found)["check"] == codes(found)["db backup"] == 1


def test_with_a_postgresql_database_that_has_no_schema(tmp_path: Path) -> None:
    with new_database("postgresql", tmp_path) as url:
        environ = bare_environ() | ACCOUNT | {"DATABASE_URL": url, "PROVIDERS": "stream,imkit"}
        found = _without_upgrade(tmp_path, environ)

    asking = others(found, NO_DATABASE | {"check", "db current", "db backup"})
    assert {name: code for name, code in codes(asking).items() if code != 3} == {}
    assert all("chatproxy db upgrade" in one["stderr"] for one in asking.values())


@pytest.mark.parametrize("version", ["9999", "0002"], ids=["later", "earlier"])
def test_with_a_schema_of_another_release_at_postgresql(version: str, tmp_path: Path) -> None:
    with new_directory("postgresql", tmp_path) as url:
        run_at(
            url.replace("postgresql:", "postgresql+psycopg:"),
            f"UPDATE alembic_version SET version_num = '{version}'",  # noqa: S608 - ours
        )
        environ = bare_environ() | ACCOUNT | {"DATABASE_URL": url, "PROVIDERS": "stream,imkit"}
        found = _without_upgrade(tmp_path, environ)

    # Nothing is read or written with it, whatever would happen to work.
    asking = codes(others(found, NO_DATABASE | {"check", "db current", "db backup"}))
    assert {name: code for name, code in asking.items() if code != 3} == {}
    assert codes(found)["check"] == codes(found)["db current"] == 1


def test_an_upgrade_does_not_touch_a_later_release(tmp_path: Path) -> None:
    with new_directory("postgresql", tmp_path) as url:
        run_at(
            url.replace("postgresql:", "postgresql+psycopg:"),
            "UPDATE alembic_version SET version_num = '9999'",
        )
        done = commands.run(bare_environ() | ACCOUNT | {"DATABASE_URL": url}, "db", "upgrade")

    assert done.returncode == 3
    assert "of a later release" in done.stderr


def test_with_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    environ = bare_environ() | ACCOUNT | {"DATABASE_URL": "sqlite:////proc/nowhere/d.db"}
    found = ends(tmp_path, environ | {"PROVIDERS": "stream,imkit"})
    asking = codes(others(found, NO_DATABASE | {"check", "db current"}))

    assert {name: code for name, code in asking.items() if code != 3} == {}


def test_with_a_full_disk_below_the_database(tmp_path: Path) -> None:
    # A file may have no more than a page: a database does not fit.
    environ = bare_environ() | ACCOUNT | {"PROVIDERS": "stream,imkit"}
    found = ends(tmp_path, environ, limit=4096)
    asking = codes(others(found, NO_DATABASE | {"check", "db current", "completion", "openapi"}))

    assert {name: code for name, code in asking.items() if code != 3} == {}


@pytest.mark.parametrize("kind", ["full", "nobody", "closed"])
def test_with_an_output_that_cannot_be_written(kind: str, schema: str, tmp_path: Path) -> None:
    environ = bare_environ() | ACCOUNT | {"PROVIDERS": "stream,imkit"}
    usual = ends(_folder(tmp_path, "usual"), environ, seed=schema)
    found = ends(_folder(tmp_path, "odd"), environ, stdout=kind, seed=schema)
    code = {"full": 3, "nobody": 141, "closed": None}[kind]

    for path, one in found.items():
        # What prints nothing meets nothing; where stdin is closed as well there is nothing to read.
        if code is not None and usual[path]["stdout"]:
            assert one["code"] == code, (path, one)
        elif kind != "closed" or not _reads_stdin(path):
            assert one["code"] == usual[path]["code"], (path, one)

        if kind == "nobody" and usual[path]["stdout"]:
            assert "Broken pipe" not in one["stderr"]


def _reads_stdin(path: tuple[str, ...]) -> bool:
    return " ".join(path) in ("keys import", "token inspect", "webhook sign")


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


def _without_upgrade(tmp_path: Path, environ: Mapping[str, str]) -> Ends:
    """All commands but that which makes the schema: they share one database here."""
    command = COMMANDS.pop(("db", "upgrade"))

    try:
        return ends(tmp_path, environ)
    finally:
        COMMANDS[("db", "upgrade")] = command


def _migrated_to(path: str, version: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    config = Config()
    config.set_main_option("script_location", "chatproxy.identity:migrations")
    engine = create_engine(f"sqlite:///{path}")

    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)

    engine.dispose()
