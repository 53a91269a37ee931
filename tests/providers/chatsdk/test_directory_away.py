"""Where the directory cannot be asked, nothing passes that would need it; the rest goes on."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chatproxy.identity.key_format import KeyFormat
from chatproxy.identity.schema_version import newest
from tests.calls import Reply, call
from tests.canaries import CHATSDK_KEY, JWT_SECRET
from tests.commands import run
from tests.databases import KINDS, new_database, run_at
from tests.providers.chatsdk import claims
from tests.providers.chatsdk.conftest import TOKEN_SECRETS, App
from tests.sidecar import Sidecar, free_port
from tests.upstream import ChatSDKUpstream

PASSWORD = "canary-password-90aa3f"


@pytest.fixture(scope="module")
def away(output_folder: Path) -> Iterator[App]:
    """A sidecar whose PostgreSQL is not there, with a ChatSDK server that is."""
    with ChatSDKUpstream(CHATSDK_KEY, [JWT_SECRET]) as server:
        environ = TOKEN_SECRETS | {
            "PROVIDERS": "chatsdk",
            "DATABASE_URL": f"postgresql://user:{PASSWORD}@127.0.0.1:{free_port()}/nowhere",
            "CHATSDK_BASE_URL": server.url,
            "CHATSDK_API_KEY": CHATSDK_KEY,
        }

        with Sidecar(output_folder / "chatsdk-away.log", environ) as sidecar:
            yield App(sidecar, KEY_OF_OURS, "pk_none")


KEY_OF_OURS = KeyFormat([TOKEN_SECRETS["KEY_SIGNING_SECRET"]]).make("platform")[1]
TOKEN = claims.made("alice")

CALLS: dict[str, Callable[[App], Reply]] = {
    "issue": lambda app: app.issue("alice"),
    "refresh": lambda app: app.refresh(TOKEN),
    "validate": lambda app: app.validate(TOKEN),
    "validate-ws": lambda app: app.validate_ws(claims.made_ws("alice")),
    "api": lambda app: app.bearing(TOKEN, "GET", "/api/channels"),
    "revoke": lambda app: app.revoke("alice"),
    "show": lambda app: app.user("alice"),
}


@pytest.mark.parametrize("made", CALLS.values(), ids=CALLS)
def test_what_needs_the_directory_is_503(away: App, made: Callable[[App], Reply]) -> None:
    reply = made(away)

    assert reply.status == 503
    assert reply.header("Retry-After") == "1"
    assert reply.json["error"]["message"] == "The directory cannot be asked."


def test_a_forged_credential_is_refused_without_the_directory(away: App) -> None:
    assert away.validate("junk").status == 401
    assert away.validate(claims.made("a", "another-secret-of-at-least-32-bytes!")).status == 401


def test_forwarding_goes_on_without_it(away: App) -> None:
    reply = call(away.sidecar.port, "POST", "/chatsdk/proxy/tokens", body={"userId": "a"})

    assert reply.status == 200


def test_the_line_says_that_the_directory_failed(away: App) -> None:
    away.bearing(TOKEN, "GET", "/tokens/validate", "X-Request-Id: the-directory")
    line = away.sidecar.wait_for_line(req_id="the-directory")

    assert line["brokenBy"] == "directory"
    assert line["error"]["type"] == "DirectoryUnavailable"
    assert PASSWORD not in away.sidecar.output.read_text()


def test_it_shows_on_ready_and_fails_the_check_up(away: App) -> None:
    away.validate(TOKEN)
    ready = call(away.sidecar.port, "GET", "/-/ready")
    check_up = call(away.sidecar.port, "GET", "/-/check-up")

    assert list(ready.json["directory"]) == ["fault"]
    assert (check_up.status, check_up.json["message"].split(":")[0]) == (503, "directory")


def test_a_database_without_a_schema_says_what_to_do(output_folder: Path, tmp_path: Path) -> None:
    with new_database("postgresql", tmp_path) as url:
        environ = TOKEN_SECRETS | {"PROVIDERS": "chatsdk", "DATABASE_URL": url}

        with Sidecar(output_folder / "chatsdk-no-schema.log", environ) as sidecar:
            assert App(sidecar, KEY_OF_OURS, "pk_none").validate(TOKEN).status == 503
            ready = call(sidecar.port, "GET", "/-/ready")
            assert (ready.status, ready.json["reasons"]) == (503, ["schema-missing"])
            assert "chatproxy db upgrade" in ready.json["message"]
            assert "chatproxy db upgrade" in ready.json["directory"]["fault"]
            assert call(sidecar.port, "GET", "/-/healthz").status == 200
            line = sidecar.wait_for_line(path="/-/ready")
            assert (line["level"], line["reasons"]) == (40, ["schema-missing"])

            # In place, while it serves.
            upgraded = run(sidecar.environ, "db", "upgrade")
            assert upgraded.returncode == 0, upgraded.stderr
            wait_for(lambda: call(sidecar.port, "GET", "/-/ready").status == 200)


@pytest.mark.parametrize("kind", KINDS)
def test_after_an_upgrade_by_a_later_release_it_is_not_ready(
    chatsdk_before: Callable[..., Any], kind: str
) -> None:
    with chatsdk_before(kind, WORKERS="2") as app:
        url = app.sidecar.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")

        def states() -> set[tuple[int, str]]:
            replies = [call(app.sidecar.port, "GET", "/-/ready") for _ in range(10)]
            return {(one.status, str(one.json.get("reasons"))) for one in replies}

        run_at(url, "UPDATE alembic_version SET version_num = '9999'")
        wait_for(lambda: states() == {(503, "['schema-newer']")})
        run_at(url, f"UPDATE alembic_version SET version_num = '{newest()}'")
        wait_for(lambda: states() == {(200, "None")})


def test_it_is_not_ready_once_the_directory_was_away_for_ten_seconds(
    output_folder: Path,
) -> None:
    environ = TOKEN_SECRETS | {
        "PROVIDERS": "chatsdk",
        "DATABASE_URL": f"postgresql://user:{PASSWORD}@127.0.0.1:{free_port()}/nowhere",
    }

    with Sidecar(output_folder / "chatsdk-unready.log", environ) as sidecar:
        began = time.monotonic()
        first = call(sidecar.port, "GET", "/-/ready")
        assert (first.status, "reasons" in first.json) == (200, False)

        wait_for(lambda: call(sidecar.port, "GET", "/-/ready").status == 503)
        assert time.monotonic() - began >= 10
        last = call(sidecar.port, "GET", "/-/ready")
        assert (last.json["status"], last.json["reasons"]) == ("KO", ["directory-unreachable"])
        assert "127.0.0.1" not in last.raw.body.decode()
        assert "nowhere" not in last.raw.body.decode()


def wait_for(state: Callable[[], bool]) -> None:
    until = time.monotonic() + 60

    while not state():
        assert time.monotonic() < until, "this never came about"
        time.sleep(0.2)


@contextmanager
def locked(app: App) -> Iterator[None]:
    """Hold the file's one write lock, as another process would."""
    path = app.sidecar.environ["DATABASE_URL"].removeprefix("sqlite:///")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")

    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.fixture(scope="module")
def on_a_file(chatsdk_before: Callable[..., Any]) -> Iterator[App]:
    with chatsdk_before() as app:
        yield app


def test_a_write_that_waits_too_long_is_503_while_reads_go_on(on_a_file: App) -> None:
    token = on_a_file.tokens("known")["token"]

    with locked(on_a_file):
        started = time.monotonic()
        reply = on_a_file.issue("new")
        waited = time.monotonic() - started

        assert (reply.status, reply.header("Retry-After")) == (503, "1")
        assert 1.5 < waited < 4
        assert on_a_file.validate(token).status == 200
        assert on_a_file.issue("known").status == 200, "nothing new is to be written"
        assert {on_a_file.issue("new").status for _ in range(2)} == {503}

    assert on_a_file.issue("new").status == 200


@contextmanager
def row_locked(app: App, user_id: str) -> Iterator[None]:
    """Hold one user's row at a PostgreSQL server."""
    with psycopg.connect(app.sidecar.environ["DATABASE_URL"]) as connection:
        held = "SELECT 1 FROM users WHERE external_id = %s FOR UPDATE"
        assert connection.execute(held, [user_id]).fetchone()
        yield


@pytest.mark.parametrize("kind", KINDS)
def test_others_are_served_while_a_write_waits(
    chatsdk_before: Callable[..., Any], kind: str
) -> None:
    with chatsdk_before(kind) as app:
        token = app.tokens("known")["token"]
        replies: list[Reply] = []
        change = threading.Thread(target=lambda: replies.append(app.issue("known", name="New")))

        with locked(app) if kind == "sqlite" else row_locked(app, "known"):
            change.start()
            time.sleep(0.2)
            started = time.monotonic()
            assert app.validate(token).status == 200
            took = time.monotonic() - started
            change.join()

        assert took < 1
        assert [reply.status for reply in replies] == [503]
        assert app.issue("known", name="New").status == 200
