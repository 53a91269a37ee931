"""`chatproxy check` and `config show`: every problem with its place, and no secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox import SERVED
from tests import commands
from tests.databases import new_database, new_directory
from tests.sidecar import bare_environ, free_port

SECRET = "canary-secret-0123456789012345678901234567890"
ACCOUNT = {"STREAM_API_KEY": "canarykey", "STREAM_API_SECRET": SECRET}


def checked(
    environ: dict[str, str], *arguments: str, code: int
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What a check finds, and its problems by their variables."""
    done = commands.run(bare_environ() | environ, "check", "--json", *arguments)
    assert done.returncode == code, done
    assert "canary" not in done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["ok"] is (code == 0)
    return found, {one.get("variable", one["about"]): one for one in found["problems"]}


def test_where_all_is_well(tmp_path: Path) -> None:
    with new_directory("sqlite", tmp_path) as url:
        environ = ACCOUNT | {
            "DATABASE_URL": url,
            "PROVIDERS": "stream,imkit",
            "KEY_SIGNING_SECRET": "k" * 40,
        }
        found, _ = checked(environ, code=0)

    assert found["problems"] == found["warnings"] == []
    assert [one["about"] for one in found["fine"]] == ["settings", "database"]


def test_all_problems_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    style = tmp_path / "style.json"
    style.write_text('{\n  "web": {\n    "theme": \n}}\n')
    agents = tmp_path / "agents.json"
    agents.write_text("{}")
    environ = {
        "STREAM_API_SECRET": SECRET,
        "STYLE_CONFIG": str(style),
        "HTTP_PORT": "canary",
        "CHATSDK_JWT_SECRET": "canary-short",
        "CENTRIFUGO_TOKEN_SECRET_FILE": "/nowhere/at/all",
        "PERFORMCHAT_AGENTS": str(agents),
        "UPSTREAM_CA_FILE": str(style),
        "KEY_SIGNING_SECRET": "'" + "k" * 40 + "'",
        "DATABASE_URL": f"postgresql://u:canary@127.0.0.1:{free_port()}/d",
    }
    _, problems = checked(environ, code=1)

    assert set(environ) - {"STREAM_API_SECRET"} | {"STREAM_API_KEY"} <= set(problems)
    assert problems["STYLE_CONFIG"]["file"] == str(style)
    assert problems["STYLE_CONFIG"]["line"] == 4
    assert problems["UPSTREAM_CA_FILE"]["file"] == str(style)
    assert problems["DATABASE_URL"]["about"] == "database"
    assert "onnection refused" in problems["DATABASE_URL"]["message"]


def test_of_the_access_document_the_line_is_told(tmp_path: Path) -> None:
    document = tmp_path / "access.yaml"
    document.write_text("callers:\n  billing:\n    keys: [\n  x: y\n")
    _, problems = checked(ACCOUNT | {"ACCESS_CONFIG": str(document)}, code=1)

    assert problems["ACCESS_CONFIG"]["file"] == str(document)
    assert problems["ACCESS_CONFIG"]["line"] in (4, 5)


def test_nothing_is_made(tmp_path: Path) -> None:
    environ = ACCOUNT | {"DATABASE_URL": f"sqlite:///{tmp_path}/var/d.db", "PROVIDERS": "imkit"}
    found, _ = checked(environ, code=0)
    commands.run(bare_environ() | environ, "config", "show")
    commands.run(bare_environ() | environ, "db", "current")

    assert "KEY_SIGNING_SECRET" in found["warnings"][0]["message"]
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////proc/self/mem/d.db", "is no folder"),
        ("sqlite:////dev/null", "is no file"),
    ],
)
def test_a_database_that_cannot_be_there_is_told(url: str, said: str) -> None:
    environ = {"DATABASE_URL": url, "PROVIDERS": "imkit", "KEY_SIGNING_SECRET": "k" * 40}
    done = commands.run(bare_environ() | environ, "check")

    assert done.returncode == 1
    assert said in done.stdout or "DATABASE_URL" in done.stdout


def test_the_schema_at_postgresql_is_looked_at_and_left_alone(tmp_path: Path) -> None:
    with new_database("postgresql", tmp_path) as url:
        environ = {"DATABASE_URL": url, "PROVIDERS": "imkit", "KEY_SIGNING_SECRET": "k" * 40}
        _, missing = checked(environ, code=1)
        checked(environ, "--no-database", code=0)
        assert commands.run(bare_environ() | environ, "db", "current").returncode == 1
        assert commands.run(bare_environ() | environ, "db", "upgrade").returncode == 0
        checked(environ, code=0)
        assert commands.run(bare_environ() | environ, "db", "current").returncode == 0

    assert "chatproxy db upgrade" in missing["DATABASE_URL"]["message"]


def test_online_it_asks_whether_our_credential_is_accepted() -> None:
    with SERVED["stream"](port=0) as server:
        good = {
            "STREAM_API_KEY": "sandbox-key",
            "STREAM_API_SECRET": "sandbox-secret-of-the-stand-in-not-for-production",
            "STREAM_BASE_URL": server.url,
        }
        found, _ = checked(good, "--online", code=0)
        _, refused = checked(ACCOUNT | {"STREAM_BASE_URL": server.url}, "--online", code=1)
        checked(ACCOUNT | {"STREAM_BASE_URL": server.url}, code=0)

    assert {"about": "stream", "message": "can be reached, and accepts us"} in found["fine"]
    assert "STREAM_API_SECRET" in refused["STREAM_API_KEY"]["message"]
    assert "refuses our credential" in refused["STREAM_API_KEY"]["message"]


def test_online_every_server_that_is_away_is_told_at_once(tmp_path: Path) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    environ = ACCOUNT | {
        "PROVIDERS": "stream,chatsdk",
        "DATABASE_URL": f"sqlite:///{tmp_path}/d.db",
        "STREAM_BASE_URL": away,
        "CHATSDK_BASE_URL": f"{away}/chatsdk",
        "CHATSDK_API_KEY": "canary-key",
        "CENTRIFUGO_API_URL": f"{away}/api",
        "CENTRIFUGO_API_KEY": "canary-key",
        "REDIS_URL": f"redis://:canary@127.0.0.1:{free_port()}/0",
    }
    _, problems = checked(environ, "--online", code=1)

    assert set(problems) == {
        "STREAM_BASE_URL",
        "CHATSDK_BASE_URL",
        "CENTRIFUGO_API_URL",
        "REDIS_URL",
    }


def test_a_person_reads_a_line_for_each(tmp_path: Path) -> None:
    environ = {"STREAM_API_SECRET": "canary-short", "STREAM_API_KEY": "a b"}
    done = commands.run(bare_environ() | environ, "check")

    assert done.returncode == 1
    assert done.stdout == (
        "error    settings: STREAM_API_KEY: is not the API key of your Stream application, from "
        "its dashboard.\n"
    )


def shown(environ: dict[str, str], *, code: int = 0) -> dict[str, dict[str, Any]]:
    done = commands.run(bare_environ() | environ, "config", "show", "--json")
    assert done.returncode == code, done.stderr
    assert "canary" not in done.stdout + done.stderr
    return {one["name"]: one for one in json.loads(done.stdout)}


def test_each_setting_is_shown_with_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    environ = {
        "STREAM_API_KEY": "canarykey",
        "STREAM_API_SECRET_FILE": f"{tmp_path}/secret",
        "STREAM_BASE_URL": f"https://chat.example/{SECRET}",
        "USERID_HEADER_KEY": "x-user",
        "PROVIDERS": "stream,imkit",
        "DATABASE_URL": f"sqlite:///{tmp_path}/d.db",
    }
    rows = shown(environ)

    assert (rows["STREAM_API_KEY"]["source"], rows["STREAM_API_KEY"]["value"]) == ("variable", None)
    assert rows["STREAM_API_SECRET"]["source"] == "file"
    assert rows["STREAM_API_SECRET"]["path"] == f"{tmp_path}/secret"
    assert rows["KEY_SIGNING_SECRET"]["source"] == "kept"
    assert rows["USERID_HEADER_KEY"]["value"] == "x-user"
    assert (rows["WORKERS"]["value"], rows["WORKERS"]["source"]) == ("1", "default")
    # A secret that was put into the wrong variable as well.
    assert rows["STREAM_BASE_URL"]["value"] is None
    assert rows["IMKIT_APP"]["inForce"] is True
    assert rows["IMBACHAT_APP"]["inForce"] is False
    assert all(one["value"] is None for one in rows.values() if one["secret"] and one["set"])


def test_nothing_is_told_of_how_long_a_secret_is(tmp_path: Path) -> None:
    texts = [
        commands.run(bare_environ() | ACCOUNT | {"STREAM_API_SECRET": secret}, "config", "show")
        for secret in ("c" * 40, "d" * 60)
    ]

    assert texts[0].stdout == texts[1].stdout
    assert "STREAM_API_SECRET = set  (from the environment)" in texts[0].stdout


def test_bad_settings_are_shown_too(tmp_path: Path) -> None:
    rows = shown({"HTTP_PORT": "canary", "STREAM_API_SECRET": SECRET}, code=2)

    assert rows["HTTP_PORT"]["source"] == "unusable"
    assert rows["STREAM_API_KEY"]["source"] == "missing"
