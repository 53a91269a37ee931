"""`chatproxy token revoke --provider`: ended where the provider checks them itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import commands
from tests.canaries import API_KEY, API_SECRET
from tests.sidecar import bare_environ
from tests.upstream import StreamUpstream

REVOKE = ("token", "revoke", "--provider", "stream")


@pytest.fixture
def environ(upstream: StreamUpstream, tmp_path: Path) -> Iterator[dict[str, str]]:
    with upstream.app.state.lock:
        upstream.app.state.users.clear()
        upstream.app.state.add_user("alice")

    upstream.faults.clear()
    yield bare_environ() | {
        "STREAM_API_KEY": API_KEY,
        "STREAM_API_SECRET": API_SECRET,
        "STREAM_BASE_URL": upstream.url,
        "DATABASE_URL": f"sqlite:///{tmp_path}/directory.db",
    }

    with upstream.app.state.lock:
        upstream.app.state.app.pop("revoke_tokens_issued_before", None)


def test_the_tokens_of_one_user(environ: dict[str, str], upstream: StreamUpstream) -> None:
    began = datetime.now(UTC)
    said = commands.answer(environ, *REVOKE, "--user", "alice")
    moment = upstream.app.state.users["alice"]["revoke_tokens_issued_before"]

    assert moment > began
    assert (said["revoked"], said["provider"], said["userId"]) == (True, "stream", "alice")
    assert datetime.fromisoformat(said["revokedBefore"]) == moment
    # Neither the directory nor its secrets are made for it.
    assert [*Path(environ["DATABASE_URL"].removeprefix("sqlite:///")).parent.iterdir()] == []


def test_the_tokens_of_all(environ: dict[str, str], upstream: StreamUpstream) -> None:
    said = commands.answer(environ, *REVOKE, "--all")

    assert said["all"] is True
    moment = upstream.app.state.app["revoke_tokens_issued_before"]
    assert datetime.fromisoformat(said["revokedBefore"]) == moment


def test_a_provider_whose_tokens_the_directory_knows(environ: dict[str, str]) -> None:
    theirs = {
        "CHATSDK_JWT_SECRET": "j" * 40,
        "CENTRIFUGO_TOKEN_SECRET": "c" * 40,
        "KEY_SIGNING_SECRET": "k" * 40,
    }
    arguments = ("--provider", "chatsdk", "--user", "alice")
    commands.answer(environ | theirs, "token", "mint", "alice", "--provider", "chatsdk")
    said = commands.answer(environ | theirs, "token", "revoke", *arguments)

    assert said == {"revoked": True, "provider": "chatsdk", "userId": "alice"}
