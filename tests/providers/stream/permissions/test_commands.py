"""`chatproxy permissions diff`, `apply` and `export`, before the stand-in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chatproxy.cli import main
from chatproxy.cli.exits import code_of, text_of
from chatproxy.errors import ChatproxyError
from tests.canaries import API_KEY, API_SECRET
from tests.providers.stream.permissions.applications import (
    READS,
    ApplicationUpstream,
    account,
    written,
)
from tests.sidecar import ROOT, bare_environ, free_port

SAMPLE = str(ROOT / "configmap" / "permissions.json")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(stream: ApplicationUpstream) -> Run:
    """Run a command; return its exit code, its output and what it says beside it."""

    def called(*arguments: str, **environ: str) -> tuple[int, str, str]:
        given = bare_environ() | account(stream) | environ
        done: Result = CliRunner().invoke(main, ["permissions", *arguments], env=given)

        # As `exits` ends a process.
        if isinstance(done.exception, ChatproxyError):
            return code_of(done.exception), done.stdout, text_of(done.exception)

        return done.exit_code, done.stdout, done.stderr

    return called


def test_the_second_apply_writes_nothing(run: Run, stream: ApplicationUpstream) -> None:
    code, output, _ = run("apply", "--file", SAMPLE)
    assert (code, output.splitlines()[-1]) == (0, "3 written")
    assert stream.writes() == [
        ("POST", "/roles"),
        ("PATCH", "/app"),
        ("PUT", "/channeltypes/messaging"),
    ]
    there = stream.there()
    stream.journal.clear()

    code, output, _ = run("apply", "--file", SAMPLE)
    assert (code, output) == (0, "nothing differs, nothing written\n")
    assert stream.writes() == []
    assert stream.there() == there


def test_diff_shows_what_apply_does_and_writes_nothing(
    run: Run, stream: ApplicationUpstream
) -> None:
    shown = run("diff", PERMISSIONS_CONFIG=SAMPLE)
    assert stream.writes() == []
    done = run("apply", PERMISSIONS_CONFIG=SAMPLE)

    assert shown[0] == 1
    assert shown[1].splitlines() == done[1].splitlines()[:-1]
    assert "messaging: user: - create-channel" in shown[1]
    assert run("diff", PERMISSIONS_CONFIG=SAMPLE)[:2] == (0, "nothing differs\n")


def test_what_a_program_reads(run: Run, stream: ApplicationUpstream) -> None:
    code, output, _ = run("diff", "--json", PERMISSIONS_CONFIG=SAMPLE)
    first = json.loads(output)
    assert code == 1
    assert first["differs"] is True
    assert first["writes"][0] == {
        "method": "POST",
        "path": "/roles",
        "changes": ["+ role support"],
    }
    assert json.loads(run("apply", "--json", PERMISSIONS_CONFIG=SAMPLE)[1]) == {
        "inForce": True,
        "writes": first["writes"],
        "faults": [],
    }


@pytest.mark.parametrize("version", ["1", "2"])
def test_an_export_that_is_applied_changes_nothing(
    version: str, run: Run, stream: ApplicationUpstream, tmp_path: Path
) -> None:
    stream.app.state.app["permission_version"] = f"v{version}"
    run("apply", "--file", SAMPLE)
    there = stream.there()
    code, output, _ = run("export", PERMISSIONS_VERSION=version)
    assert code == 0
    path = tmp_path / "export.json"
    path.write_text(output)
    stream.journal.clear()

    done = run("apply", "--file", str(path), PERMISSIONS_VERSION=version)
    assert done[:2] == (0, "nothing differs, nothing written\n")
    assert stream.writes() == []
    assert stream.there() == there
    assert (
        run("export", "--version", version, "--json")[1]
        == json.dumps(json.loads(output), separators=(",", ":")) + "\n"
    )


def test_the_features_of_a_type_survive(
    run: Run, stream: ApplicationUpstream, tmp_path: Path
) -> None:
    """The stand-in sets back what a PUT leaves out."""
    changed = {"reactions": False, "max_message_length": 99, "automod": "AI", "blocklist": "mine"}
    stream.app.state.channel_types["team"].update(changed, automod_behavior="block")
    before = stream.there()["types"]["team"]
    path = written(tmp_path / "p.json", {"team": {"user": []}})

    assert run("apply", "--file", path)[0] == 0
    after = stream.there()["types"]["team"]
    assert after["grants"].pop("user") == []
    del before["grants"]["user"]
    assert after == before


def test_a_custom_type_of_version_1_is_made_and_then_kept(
    run: Run, stream: ApplicationUpstream, tmp_path: Path
) -> None:
    stream.app.state.app["permission_version"] = "v1"
    policy = {"name": "talk", "resources": ["CreateMessage"], "roles": ["user"], "priority": 9}
    path = written(tmp_path / "p.json", {"forum": [policy], "team": []})

    assert run("apply", "--file", path, PERMISSIONS_VERSION="1")[0] == 0
    types = stream.there()["types"]
    assert types["forum"]["permissions"] == [{**policy, "owner": False, "action": "Allow"}]
    assert types["team"]["permissions"] == []
    stream.journal.clear()
    assert run("apply", "--file", path, PERMISSIONS_VERSION="1")[0] == 0
    # This system knows no roles that could be asked for.
    assert stream.calls() == [("GET", "/app"), ("GET", "/channeltypes")]


def test_a_missing_type_of_version_2_is_made_on_request_and_gets_its_grants(
    run: Run, stream: ApplicationUpstream, tmp_path: Path
) -> None:
    content = {"forum": {"user": ["create-message"], "admin": ["!ban-user"]}}
    path = written(tmp_path / "p.json", content)
    code, _, said = run("apply", "--file", path)
    assert (code, stream.writes()) == (1, [])
    assert "There is no channel type forum at Stream" in said

    code, _, _ = run("apply", "--file", path, PERMISSIONS_CREATE_TYPES="true")
    grants = stream.there()["types"]["forum"]["grants"]
    assert code == 0
    assert grants["user"] == ["create-message"]
    assert "ban-user" not in grants["admin"]
    assert "create-channel" in grants["admin"]
    assert stream.writes() == [("POST", "/channeltypes"), ("PUT", "/channeltypes/forum")]


def test_a_refused_write_holds_up_no_other_and_is_sent_once(
    run: Run, stream: ApplicationUpstream, tmp_path: Path
) -> None:
    content = {"app": {"user": ["fly-away"]}, "team": {"user": []}}
    path = written(tmp_path / "p.json", content)
    code, output, said = run("apply", "--file", path)

    assert code == 1
    assert "team: user: " in output
    assert "Stream answered PATCH /app with 400 (code 4)" in said
    assert "permission 'fly-away' does not exist" in said
    assert "app.user: Stream has no permission fly-away." in said
    assert stream.writes() == [("PATCH", "/app"), ("PUT", "/channeltypes/team")]


def test_what_takes_nothing_away_is_told(
    run: Run, stream: ApplicationUpstream, tmp_path: Path
) -> None:
    """Nothing would have to be written for it, so Stream would never refuse it."""
    path = written(tmp_path / "p.json", {"team": {"user": ["!ban-users", "!ban-user"]}})

    for command in ("diff", "apply"):
        code, _, said = run(command, "--file", path)
        assert code == 1
        assert "team.user: Stream has no permission ban-users." in said
        assert stream.writes() == []


@pytest.mark.parametrize("fault", ["status=404", "status=400", "gzip"])
def test_where_stream_does_not_say_which_permissions_it_has_the_document_is_put_in_force(
    fault: str, run: Run, stream: ApplicationUpstream
) -> None:
    for _ in range(2):
        stream.faults.next(fault, path="/permissions")

    assert run("apply", "--file", SAMPLE)[0] == 0
    assert stream.faults.pending() == 0


def test_a_thousand_roles_are_made(run: Run, stream: ApplicationUpstream, tmp_path: Path) -> None:
    """Most are there, as after a start that was cut: each that is made is a call."""
    roles = {f"role-{number}": ["search-user"] for number in range(1000)}
    made = {name: {"name": name, "custom": True} for name in list(roles)[:900]}
    stream.app.state.roles.update(made)
    code, output, _ = run("apply", "--file", written(tmp_path / "p.json", {"app": roles}))

    assert (code, output.splitlines()[-1]) == (0, "101 written")
    assert set(roles) <= set(stream.there()["roles"])
    stream.journal.clear()
    assert run("diff", "--file", str(tmp_path / "p.json"))[0] == 0
    assert stream.calls() == [("GET", one) for one in READS]


def test_a_document_for_the_other_system_is_written_and_told(
    run: Run, stream: ApplicationUpstream, tmp_path: Path
) -> None:
    stream.app.state.app["permission_version"] = "v1"
    path = written(tmp_path / "p.json", {"team": {"user": []}})
    code, output, said = run("apply", "--file", path)

    assert (code, output.splitlines()[-1]) == (1, "1 written")
    assert "The application goes by version 1 of Stream's permissions" in said
    assert stream.app.state.app["permission_version"] == "v1"


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("status=429", "429 (code 9)"),
        ("status=503", "503"),
        ("status=401", "401 (code 5). It refuses our credential."),
        ("redirect=http://127.0.0.1/x", "302"),
        ("reset", ""),
    ],
)
def test_where_stream_does_not_answer_the_command_says_so_and_ends_with_3(
    fault: str, word: str, run: Run, stream: ApplicationUpstream
) -> None:
    stream.faults.next(fault, path="/app", method="PATCH")
    code, _, said = run("apply", "--file", SAMPLE)

    assert code == 3
    assert word in said
    assert API_SECRET not in said
    assert API_KEY not in said
    # What was written stays, and the next call goes on from there.
    assert run("apply", "--file", SAMPLE)[0] == 0


def test_an_answer_of_another_form_is_told(run: Run, stream: ApplicationUpstream) -> None:
    stream.faults.next("gzip", path="/roles")
    code, _, said = run("export")

    assert code == 3
    assert "Stream's answer to GET /roles has no roles." in said


def test_stream_that_is_away_is_3_and_no_document_is_2(run: Run) -> None:
    away = f"http://127.0.0.1:{free_port()}"

    assert run("export", STREAM_BASE_URL=away)[0] == 3
    assert run("diff")[0] == run("apply")[0] == 2
    assert run("diff", "--file", "/nowhere.json")[0] == 2


@pytest.mark.parametrize("command", ["diff", "apply"])
def test_a_bad_document_is_2_with_all_its_faults_and_asks_nobody(
    command: str, run: Run, stream: ApplicationUpstream, tmp_path: Path
) -> None:
    content: Any = {"app": {"user": ["!"], "r" * 65: []}}
    code, _, said = run(command, "--file", written(tmp_path / "p.json", content))

    assert code == 2
    assert "app.user.0: takes nothing away" in said
    assert "longer than 64 characters" in said
    assert stream.calls() == []
