"""`make run`: what is started, what is printed, what is refused."""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sidecar import ROOT, bare_environ


@pytest.fixture(scope="module")
def running() -> Iterator[list[str]]:
    """The local run on its own ports, and the lines of its greeting."""
    with subprocess.Popen(
        [sys.executable, "-m", "chatproxy", "run"],
        cwd=ROOT,
        env=bare_environ() | {"HTTP_PORT": "3000"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        yield list(iter(process.stderr.readline, "Ctrl-C ends it.\n"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def answer_to(command: str) -> Any:
    """Run a pasted command."""
    done = subprocess.run(shlex.split(command), capture_output=True, check=True, timeout=30)
    return json.loads(done.stdout)


def test_the_four_commands_answer_as_said(running: list[str]) -> None:
    commands = [line.strip() for line in running if line.strip().startswith("curl ")]
    token, users, config, check_up = (answer_to(command) for command in commands)

    assert token["userId"] == "alice"
    assert users["users"]["alice"]["name"] == "Alice"
    assert config["authentication"]["userId"] == "alice"
    assert re.fullmatch(r"eyJ[^.]+\.[^.]+\.[^.]+", config["authentication"]["userToken"])
    assert check_up["status"] == "OK"


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
    done = subprocess.run(
        [sys.executable, "-m", "chatproxy", "run"],
        cwd=ROOT,
        env=bare_environ() | environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert "is missing while" in done.stderr
    assert "not-to-be-printed" not in done.stderr + done.stdout
