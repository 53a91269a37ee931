"""`chatproxy access`: keys, and what the rules of a document say."""

import json
from pathlib import Path

import pytest

from chatproxy.access.keys import digest_of, written
from tests.access.samples import caller, write
from tests.commands import answer, run
from tests.sidecar import ROOT, bare_environ

SAMPLE = str(ROOT / "configmap" / "access.yaml")
FILE = ("--file", SAMPLE)


def test_a_key_is_shown_once_with_the_lines_to_paste(tmp_path: Path) -> None:
    done = run(bare_environ(), "access", "key", "billing")
    assert done.returncode == 0
    key = next(line.strip() for line in done.stdout.splitlines() if "cpk_" in line)
    lines = done.stdout[done.stdout.index("callers:") :]

    # As it is printed it is a document.
    (tmp_path / "access.yaml").write_text(lines)
    explained = ("access", "explain", "billing", "GET", "/token/x", "--file")
    done = run(bare_environ(), *explained, str(tmp_path / "access.yaml"))
    assert written(digest_of(key)) in lines
    assert (done.returncode, done.stdout.split(":")[0]) == (1, "refused")


def test_a_program_gets_key_and_digest() -> None:
    found = answer(bare_environ(), "access", "key", "billing")

    assert found["caller"] == "billing"
    assert found["digest"] == written(digest_of(found["key"]))
    assert found["key"] != answer(bare_environ(), "access", "key", "billing")["key"]


@pytest.mark.parametrize("name", ["", "a b", "-x", "a/b", "x" * 65, "é"])
def test_a_name_that_no_caller_can_have_is_refused(name: str) -> None:
    done = run(bare_environ(), "access", "key", "--", name)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "cpk_" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("backend", "GET", "/token/ann"), 0, "allowed: callers.backend.endpoints.0: /token"),
        (("backend", "POST", "/proxy/channels/a/b"), 0, "callers.backend.calls.0: /channels/**"),
        (("backend", "GET", "/stream/proxy/app"), 0, "callers.backend.calls.1: /app"),
        (("backend", "DELETE", "/proxy/users"), 1, "refused: none of its calls is DELETE"),
        (("back-office", "GET", "/token/ann"), 1, "callers.back-office.users has no ann"),
        (("back-office", "GET", "/token/support-1"), 0, "callers.back-office.endpoints.0"),
        (("back-office", "GET", "/proxy/users", "--user", "ann"), 1, "users has no ann"),
        (("backend", "GET", "/-/ready"), 0, "needs no key"),
        (("backend", "GET", "/nothing"), 1, "404"),
        (("backend", "PUT", "/token/ann"), 1, "405"),
        (("backend", "GET", "/proxy/%2e%2e/users"), 1, "400"),
        (("backend", "GET", "nothing"), 1, "400"),
        (("nobody", "GET", "/proxy/users"), 2, "which has backend, back-office"),
        (("backend", "get", "/proxy/users"), 2, "is not one of"),
        (("backend", "GET"), 2, "Missing argument"),
    ],
)
def test_explain_says_which_rule_decides(arguments: tuple[str, ...], code: int, says: str) -> None:
    done = run(bare_environ(), "access", "explain", *arguments, *FILE)

    assert done.returncode == code, done.stderr
    assert says in (done.stderr if code == 2 else done.stdout)


def test_explain_for_a_program(tmp_path: Path) -> None:
    arguments = ("access", "explain", "backend", "GET", "/proxy/users", *FILE)

    assert answer(bare_environ(), *arguments) == {
        "caller": "backend",
        "method": "GET",
        "path": "/proxy/users",
        "allowed": True,
        "rule": "callers.backend.calls.0",
        "reason": "callers.backend.calls.0: /users",
    }
    done = run(bare_environ(), "access", "explain", "backend", "PUT", "/proxy/x", *FILE, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["rule"] is None


def test_explain_goes_by_the_environment_of_the_sidecar(tmp_path: Path) -> None:
    path = write(
        tmp_path / "access.json",
        a=caller(providers=["chatsdk"], endpoints=["/tokens"]),
    )
    environ = bare_environ() | {
        "ACCESS_CONFIG": path,
        "SERVICE_PREFIX": "/chat",
        "PROVIDERS": "chatsdk",
    }
    assert run(environ, "access", "explain", "a", "POST", "/chat/tokens").returncode == 0
    # Nothing was made or kept on the way.
    assert list(tmp_path.iterdir()) == [tmp_path / "access.json"]
    done = run(environ | {"PROVIDERS": "stream"}, "access", "explain", "a", "POST", "/chat/tokens")
    assert done.returncode == 2
    assert "chatsdk is off" in done.stderr
    # Elsewhere those are on that the document names.
    alone = run(bare_environ(), "access", "explain", "a", "POST", "/tokens", "--file", path)
    assert alone.returncode == 0, alone.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("", "it is empty"),
        ("callers: {a: {keys: [x]}}", "callers.a.keys.0: is no digest"),
        ("callers: [", "no valid YAML"),
    ],
)
def test_a_document_that_cannot_be_used_is_told(
    tmp_path: Path, content: str | None, says: str
) -> None:
    path = tmp_path / "access.yaml"

    if content is not None:
        path.write_text(content)

    done = run(bare_environ(), "access", "explain", "a", "GET", "/x", "--file", str(path))
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_document_explain_says_how_to_name_one() -> None:
    done = run(bare_environ(), "access", "explain", "a", "GET", "/x")

    assert done.returncode == 2
    assert "--file" in done.stderr
