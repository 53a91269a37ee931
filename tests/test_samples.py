"""The four sample programs of ChatSDK's guide, unchanged, against `POST /tokens`."""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands import finished
from tests.sidecar import ROOT, Sidecar, bare_environ

SAMPLES = ROOT / "tests" / "samples"
PYTHON = str(ROOT / ".venv-sdks" / "bin" / "python")
# The samples' Node.js packages are installed with those of the SDKs.
ENVIRON = bare_environ() | {"NODE_PATH": str(ROOT / "tests" / "sdks" / "node_modules")}
COMPACT_JWT = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+")
ALICE = {
    "id": "user-123",
    "name": "Älice Johnson",
    "email": "alice@example.com",
    "department": "Engineering",
}
AVATAR = "https://cdn.example.com/alice.png?size=64&round=1"

PHP_LIBRARIES = "require 'Illuminate/Http/autoload.php'; require 'GuzzleHttp/autoload.php';"

# What runs each sample, and a command that fails where its libraries are missing.
PROGRAMS = {
    "node_express.js": ("node", ["-e", "require('express'); require('node-fetch')"]),
    "python_fastapi.py": (PYTHON, ["-c", "import fastapi, httpx"]),
    "ruby_rails.rb": ("ruby", ["-raction_controller", "-rhttparty", "-e", ""]),
    "php_laravel.php": ("php", ["-r", PHP_LIBRARIES]),
}


@pytest.fixture(scope="module")
def environ(
    output_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """What the samples read: where the sidecar is, and a key that it made."""
    settings = {
        "PROVIDERS": "chatsdk",
        "CHATSDK_JWT_SECRET": secrets.token_hex(32),
        "CENTRIFUGO_TOKEN_SECRET": secrets.token_hex(32),
        "KEY_SIGNING_SECRET": secrets.token_hex(32),
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('samples')}/directory.db",
    }

    with Sidecar(output_folder / "sidecar-samples.log", settings) as sidecar:
        made = run(
            [sys.executable, "-m", "chatproxy.cli", "keys", "create", "samples", "--json"],
            sidecar.environ,
        )
        yield ENVIRON | {"CHATSDK_API_URL": sidecar.url, "CHATSDK_API_KEY": made["apiKey"]}


def run(command: list[str], environ: dict[str, str]) -> dict[str, Any]:
    """Run a program; return the JSON that it prints last."""
    done = finished(command, environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), done.stderr
    printed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return printed


def can_run(sample: str) -> bool:
    program, probe = PROGRAMS[sample]

    try:
        return not subprocess.run([program, *probe], env=ENVIRON, capture_output=True).returncode
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("avatar", [AVATAR, None], ids=["avatar", "no-avatar"])
@pytest.mark.parametrize("sample", PROGRAMS)
def test_a_sample_of_the_guide_gets_its_tokens(
    environ: dict[str, str], sample: str, avatar: str | None
) -> None:
    if not can_run(sample):
        pytest.skip(f"what {sample} needs is not installed: make sdks, .ci/packages")

    user = ALICE | ({"avatar": avatar} if avatar else {})
    command = [PROGRAMS[sample][0], str(SAMPLES / sample), json.dumps(user)]
    answer = run(command, environ)

    assert COMPACT_JWT.fullmatch(answer["token"])
    assert COMPACT_JWT.fullmatch(answer["wsToken"])
    assert answer["user"]["id"] == ALICE["id"]
    assert answer["user"]["name"] == ALICE["name"]
    assert answer["user"].get("image") == avatar
    assert answer["expiresIn"] == 86400
