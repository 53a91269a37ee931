"""What `chatproxy token revoke` says that it did."""

from pathlib import Path

import pytest

from chatproxy.providers import SETTINGS
from tests import commands
from tests.sidecar import bare_environ


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return bare_environ() | {"DATABASE_URL": f"sqlite:///{tmp_path}/directory.db"}


def test_every_provider_is_named_on_one_side(environ: dict[str, str]) -> None:
    said = commands.answer(environ, "tokens", "revoke", "--all")

    assert said["revoked"] is True
    assert said["ended"] == ["chatsdk", "performchat", "imkit"]
    assert sorted(said["notEnded"]) == ["imbachat", "stream"]
    assert sorted([*said["ended"], *said["notEnded"]]) == sorted(SETTINGS)
    assert "revoke_tokens_issued_before" in said["notEnded"]["stream"]


def test_one_id_is_of_one_token_whoever_made_it(environ: dict[str, str]) -> None:
    said = commands.answer(environ, "tokens", "revoke", "--id", "a-jti")

    assert "ended" not in said
    assert sorted(said["notEnded"]) == ["imbachat", "stream"]


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["--all"], "ended: tokens of chatsdk, performchat, imkit, at every sidecar"),
        (["--id", "a-jti"], "ended: tokens of the id a-jti, at every sidecar"),
    ],
)
def test_a_person_reads_the_same(environ: dict[str, str], arguments: list[str], first: str) -> None:
    done = commands.run(environ, "tokens", "revoke", *arguments)
    said = done.stdout.splitlines()

    assert said[0].startswith(first)
    assert said[1].startswith("not ended: tokens of stream. Stream alone checks them.")
    assert said[2].startswith("not ended: tokens of imbachat. ")
    assert len(said) == 3


def test_nothing_is_said_to_be_ended_where_nobody_was_found(environ: dict[str, str]) -> None:
    done = commands.run(environ, "tokens", "revoke", "--user", "nobody")

    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no such user" in done.stderr
