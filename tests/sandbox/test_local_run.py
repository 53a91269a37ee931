"""`make run`: what is started, what is printed, what is refused."""

import base64
import hmac
import http.server
import itertools
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatproxy import settings
from chatproxy.providers import SETTINGS
from chatproxy.providers.stream.settings import STAND_IN_SECRET
from sandbox import local_run
from tests.commands import finished, run
from tests.sidecar import ROOT, bare_environ, free_port
from tests.test_sdks import NODE, SDKS, needs_node_sdks, needs_python_sdks
from tests.test_sdks import PYTHON as SDK_PYTHON


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the local run keeps its directory."""
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="module")
def environ(folder: Path) -> dict[str, str]:
    ours = {"DATABASE_URL": f"sqlite:///{folder}/var/local.db", "LOG_FORMAT": "json"}
    return bare_environ() | own_ports() | ours


def own_ports() -> dict[str, str]:
    """Ports that no other run on this machine has."""
    return {"HTTP_PORT": str(free_port()), "STAND_IN_PORT": str(free_port())}


class SaysYes(http.server.BaseHTTPRequestHandler):
    """Another process's server, which answers as a sidecar that is ready would."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def somebody_else() -> Iterator[int]:
    """Yield the port on which somebody else's server listens."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), SaysYes) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def running(folder: Path, environ: dict[str, str]) -> Iterator[list[str]]:
    """The local run, and the lines of its greeting."""
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
        # Where it gives up waiting for the sidecar it greets nobody, and serves on.
        patience = threading.Timer(60, process.terminate)
        patience.start()
        lines = list(itertools.takewhile(lambda line: line != "Ctrl-C ends it.\n", process.stderr))
        patience.cancel()
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


def page_of_backend_engineers(language: str, environ: dict[str, str]) -> list[str]:
    """The page's blocks in a language, for this local run."""
    page = (ROOT / "docs" / "for-backend-engineers.md").read_text()
    blocks = re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [one.replace("127.0.0.1:3000", f"127.0.0.1:{environ['HTTP_PORT']}") for one in blocks]


def signature_of(body: bytes) -> str:
    return hmac.new(STAND_IN_SECRET.encode(), body, "sha256").hexdigest()


@pytest.mark.usefixtures("running")
def test_the_backend_engineers_commands_answer_as_said(environ: dict[str, str]) -> None:
    commands = page_of_backend_engineers("sh", environ)
    done = finished(["bash", "-c", "; echo; ".join(one.strip() for one in commands)], environ)
    token, users, webhook = [json.loads(line) for line in done.stdout.splitlines() if line]

    assert re.fullmatch(r"eyJ[^.]+\.[^.]+\.[^.]+", token["token"])
    assert users["users"]["alice"]["name"] == "Alice"
    assert webhook == {"isValid": True}


PYTHON_CHECKS = """
assert create_token("alice").startswith("eyJ")
assert create_token("alice") != client.create_token("alice")
assert verify_webhook({body!r}, {signature!r})
assert not client.verify_webhook({body!r}, {signature!r})
assert not verify_webhook({body!r} + b" ", {signature!r})
"""


@needs_python_sdks
@pytest.mark.usefixtures("running")
def test_the_backend_engineers_python_works(environ: dict[str, str]) -> None:
    (code,) = page_of_backend_engineers("python", environ)
    body = '{"type": "message.new", "text": "Jörg"}'.encode()
    checks = PYTHON_CHECKS.format(body=body, signature=signature_of(body))
    done = finished([str(SDK_PYTHON), "-c", code + checks], bare_environ())

    assert (done.returncode, done.stderr) == (0, "")


NODE_CHECKS = """
const body = Buffer.from(BODY, 'base64');
const [token, good, bad] = [await createToken('alice'), await verifyWebhook(body, SIGNATURE),
  await verifyWebhook(Buffer.concat([body, body]), SIGNATURE)];
console.log(JSON.stringify([token.slice(0, 3), good, bad, client.verifyWebhook(body, SIGNATURE)]));
"""


@needs_node_sdks
@pytest.mark.node
@pytest.mark.usefixtures("running")
def test_the_backend_engineers_javascript_works(environ: dict[str, str]) -> None:
    (code,) = page_of_backend_engineers("js", environ)
    body = '{"type": "message.new", "text": "Jörg"}'.encode()
    given = f"const BODY = '{base64.b64encode(body).decode()}', SIGNATURE = '{signature_of(body)}';"
    whole = f"{code}\n{given}\n{NODE_CHECKS}"
    command = [str(NODE), "--input-type=module", "-e", whole]
    done = finished(command, bare_environ(), folder=SDKS)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["eyJ", True, False, False]


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
    done = run(bare_environ() | own_ports() | environ, "run")

    assert done.returncode == 2
    assert "is missing while" in done.stderr
    assert "not-to-be-printed" not in done.stderr + done.stdout


@pytest.mark.parametrize("variable", ["HTTP_PORT", "STAND_IN_PORT", "STATUS_PORT"])
def test_a_port_that_somebody_else_has_is_an_error_first(variable: str, tmp_path: Path) -> None:
    database = tmp_path / "d" / "local.db"

    with somebody_else() as port:
        ours = own_ports() | {"DATABASE_URL": f"sqlite:///{database}", variable: str(port)}
        done = run(bare_environ() | ours, "run")

    assert done.returncode == 3
    assert done.stderr.startswith(f"{variable}: another process listens on 127.0.0.1 port {port}.")
    assert done.stderr.endswith(f"Such as: {variable}={local_run.ports.NEXT + port} make run\n")
    assert len(done.stderr.splitlines()) == 1
    assert "listens on http" not in done.stderr
    assert not database.exists()


def test_who_has_the_port_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"]

    with subprocess.Popen([*command], stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout is not None
        port = re.search(r"port (\d+)", process.stdout.readline())
        assert port is not None

        try:
            done = run(bare_environ() | own_ports() | {"HTTP_PORT": port[1]}, "run")
        finally:
            process.terminate()

    assert f"It is process {process.pid} (" in done.stderr


def test_all_taken_ports_are_told_at_once() -> None:
    with somebody_else() as one, somebody_else() as other:
        taken = {"HTTP_PORT": str(one), "STAND_IN_PORT": str(other)}
        done = run(bare_environ() | taken, "run")

    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [*taken]


@pytest.mark.parametrize("port", ["0", "70000", "x", "1e3"])
def test_a_port_that_is_none_is_named(port: str) -> None:
    done = run(bare_environ() | own_ports() | {"STAND_IN_PORT": port}, "run")

    assert done.returncode == 2
    assert "STAND_IN_PORT: is not a port number" in done.stderr


def test_one_port_is_not_for_both() -> None:
    port = str(free_port())
    done = run(bare_environ() | {"HTTP_PORT": port, "STAND_IN_PORT": port}, "run")

    assert done.returncode == 2
    assert "STAND_IN_PORT: is also the port of HTTP_PORT" in done.stderr


def test_nobody_is_greeted_where_another_answers_in_our_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The port was free when it was looked at, and is another's when ours is to be asked."""
    monkeypatch.setattr(local_run, "READY_WITHIN", 1.0)

    with (
        somebody_else() as port,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as ours,
    ):
        account = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}
        found = settings.load(SETTINGS, account | {"HTTP_PORT": str(port)})

        assert local_run._answers("127.0.0.1", port)
        assert not local_run._is_ready(found, {"sidecar": ours})
        ours.communicate(b"\n")


def test_a_server_that_dies_right_after_its_start_is_not_greeted_for(tmp_path: Path) -> None:
    ours = own_ports() | {"DATABASE_URL": f"sqlite:///{tmp_path}/local.db"}
    done = run(bare_environ() | ours, "run", "nowhere:app")

    assert done.returncode not in (0, None)
    assert "the sidecar has ended, with exit code" in done.stderr
    assert "Ctrl-C" not in done.stderr
