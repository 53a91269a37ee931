"""The sample programs of PerformChat's documentation against `/rest/v1/auth/token`."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import commands
from tests.sidecar import Sidecar
from tests.test_samples import COMPACT_JWT, ENVIRON, PYTHON, SAMPLES, can_run
from tests.tls_end import tls_before

#: What runs each sample, and the sample of the other guide whose libraries it needs too.
RUN = {
    "performchat_curl.sh": ("bash", None),
    "performchat_node.js": ("node", "node_express.js"),
    "performchat_python.py": (PYTHON, "python_fastapi.py"),
    "performchat_ruby.rb": ("ruby", "ruby_rails.rb"),
    "performchat_php.php": ("php", "php_laravel.php"),
}


@pytest.fixture(scope="module")
def sidecar(output_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar that knows the key and the agents that stand in the samples."""
    settings = {
        "PROVIDERS": "performchat",
        "PERFORMCHAT_JWT_SECRET": secrets.token_hex(32),
        "KEY_SIGNING_SECRET": secrets.token_hex(32),
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('samples')}/directory.db",
    }

    with Sidecar(output_folder / "sidecar-performchat-samples.log", settings) as running:
        key = "pk_your_key_id.sk_your_secret_key\n"
        commands.answer(running.environ, "keys", "import", "samples", stdin=key)

        for agent_id in ("agent_abc", "your-agent-id"):
            commands.answer(running.environ, "agents", "create", "Agent", "--id", agent_id)

        yield running


def answers_of(sample: str, sidecar: Sidecar, folder: Path) -> list[dict[str, Any]]:
    """Run a sample with the sidecar's URL in it; return the JSON lines that it prints."""
    program, like = RUN[sample]

    if like is not None and not can_run(like):
        pytest.skip(f"what {sample} needs is not installed: make sdks, .ci/packages")

    with tls_before(sidecar.port, folder) as (tls_url, authority):
        text = (SAMPLES / sample).read_text().replace("SIDECAR_TLS", tls_url)
        (folder / sample).write_text(text.replace("SIDECAR", sidecar.url))
        made = commands.answer(sidecar.environ, "keys", "create", "sample")
        environ = ENVIRON | {
            "SSL_CERT_FILE": str(authority),
            "PERFORMCHAT_KEY_ID": made["keyId"],
            "PERFORMCHAT_KEY_SECRET": made["keySecret"],
        }
        done = commands.finished([program, sample], environ, folder=folder)

    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("sample", RUN)
def test_a_sample_gets_its_token(sidecar: Sidecar, tmp_path: Path, sample: str) -> None:
    answers = answers_of(sample, sidecar, tmp_path)

    assert len(answers) == (2 if sample.endswith(".sh") else 1)
    assert all(COMPACT_JWT.fullmatch(answer["token"]) for answer in answers)


def test_the_node_sample_stores_the_id_for_the_invalidation(
    sidecar: Sidecar, tmp_path: Path
) -> None:
    (answer,) = answers_of("performchat_node.js", sidecar, tmp_path)

    assert len(answer["stored"][0]["data"]["performChatUserId"]) == 32
