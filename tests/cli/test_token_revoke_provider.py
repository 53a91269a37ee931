"""`chatproxy token revoke --provider`: ended where the provider checks them itself."""

import json
from collections.abc import Iterator
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


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        ("status=401", 3, "refuses the sidecar's own credential"),
        ("status=500", 3, "answered 500"),
        ("status=429", 3, "too many calls"),
        ("status=200", 3, "could not be read"),
        ("", 1, "no user with this id"),
    ],
)
def test_what_did_not_happen_is_not_said(
    environ: dict[str, str], upstream: StreamUpstream, fault: str, code: int, says: str
) -> None:
    if fault:
        upstream.faults.next(fault)

    done = commands.run(environ, *REVOKE, "--user", "alice" if fault else "nobody")

    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert API_SECRET not in done.stderr


@pytest.mark.parametrize("arguments", [["--id", "x"], ["-"], [], ["--user", "a", "--all"]])
def test_a_wrong_command_line(
    environ: dict[str, str], upstream: StreamUpstream, arguments: list[str]
) -> None:
    done = commands.run(environ, *REVOKE, *arguments)

    assert done.returncode == 2
    assert list(upstream.journal) == []


def test_tokens_that_nothing_ends_are_not_said_to_be_ended(environ: dict[str, str]) -> None:
    theirs = {
        "IMBACHAT_API_LOGIN": "login",
        "IMBACHAT_API_PASSWORD": "password-of-imbachat-com",
        "IMBACHAT_SECRET_KEY": "i" * 40,
        "IMBACHAT_DEV_ID": "7",
        "KEY_SIGNING_SECRET": "k" * 40,
    }
    done = commands.run(
        environ | theirs, "token", "revoke", "--provider", "imbachat", "--user", "7", "--json"
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert "imbachat: " in done.stderr
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(done.stdout)
