"""`make run`: what is started, what is printed, what is refused."""

import itertools
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatproxy.providers import SETTINGS
from tests.commands import finished, run
from tests.sidecar import ROOT, bare_environ


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the local run keeps its directory."""
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="module")
def environ(folder: Path) -> dict[str, str]:
    return bare_environ() | {
        "HTTP_PORT": "3000",
        "DATABASE_URL": f"sqlite:///{folder}/var/local.db",
    }


@pytest.fixture(scope="module")
def running(folder: Path, environ: dict[str, str]) -> Iterator[list[str]]:
    """The local run on its own ports, and the lines of its greeting."""
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "chatproxy.cli", "run"],
            cwd=ROOT,
            env=environ,
            stdout=log,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stderr is not None
        lines = list(itertools.takewhile(lambda line: line != "Ctrl-C ends it.\n", process.stderr))
        assert process.poll() is None, lines
        yield lines
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_the_commands_answer_as_said(running: list[str], environ: dict[str, str]) -> None:
    commands = [line.strip() for line in running if re.match(r"\s+(curl |KEY=)", line)]
    done = finished(["bash", "-c", "; echo; ".join(commands)], environ)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line]
    token, users, config, check_up, tokens = answers

    assert token["userId"] == "alice"
    assert users["users"]["alice"]["name"] == "Alice"
    assert config["authentication"]["userId"] == "alice"
    assert re.fullmatch(r"eyJ[^.]+\.[^.]+\.[^.]+", config["authentication"]["userToken"])
    assert check_up["status"] == "OK"
    assert tokens["user"] == {"id": "alice", "name": "Alice"}
    assert tokens["wsToken"].startswith("eyJ")


def test_its_secrets_are_made_kept_and_announced(running: list[str], folder: Path) -> None:
    kept = sorted((folder / "var" / "local.db.secrets").iterdir())
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    said = [line["msg"] for line in lines if "kept in" in line["msg"]]

    assert [path.name for path in kept] == [
        "CENTRIFUGO_TOKEN_SECRET",
        "CHATSDK_JWT_SECRET",
        "IMBACHAT_API_PASSWORD",
        "IMBACHAT_SECRET_KEY",
        "KEY_SIGNING_SECRET",
        "PERFORMCHAT_JWT_SECRET",
    ]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert (folder / "var" / "local.db").stat().st_mode & 0o777 == 0o600
    assert len(said) == 1
    assert all(path.name in said[0] for path in kept)
    assert not any(path.read_text().strip() in (folder / "log").read_text() for path in kept)


def test_the_start_says_which_providers_are_on(running: list[str], folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    (started,) = [line for line in lines if line["msg"] == "chatproxy starts"]

    assert started["providers"] == list(SETTINGS)


@pytest.mark.parametrize(
    "environ",
    [
        {"STREAM_API_KEY": "key"},
        {"STREAM_API_SECRET": "secret-not-to-be-printed"},
        {"STREAM_API_SECRET_FILE": "/nowhere"},
        {"STREAM_BASE_URL": "https://chat.example"},
        {"STREAM_AUTH_TOKEN": "a.b.c"},
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_half_of_an_account_is_refused(environ: dict[str, str]) -> None:
    done = run(bare_environ() | environ, "run")

    assert done.returncode == 1
    assert "is missing while" in done.stderr
    assert "not-to-be-printed" not in done.stderr + done.stdout
