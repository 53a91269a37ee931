"""Uses an installed chatproxy as an operator would: commands, a start, calls, a stop.

Of chatproxy itself nothing is imported here: what runs is what was installed.
"""

import contextlib
import http.client
import http.server
import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

START_WITHIN = 60.0
STOP_WITHIN = 60.0
API_SECRET = "smoke-test-secret-of-no-account-0000001"
SIGNED = {
    "KEY_SIGNING_SECRET": "smoke-test-key-signing-secret-0000000001",
    "CHATSDK_JWT_SECRET": "smoke-test-chatsdk-secret-00000000000001",
    "CENTRIFUGO_TOKEN_SECRET": "smoke-test-centrifugo-secret-0000000001",
}
MAKE_DATABASE = (
    "import sys, psycopg; "
    "psycopg.connect(sys.argv[1], autocommit=True).execute(sys.argv[2]).connection.close()"
)


class Failed(Exception):
    """What was installed does not do what it should."""


class Provider(http.server.BaseHTTPRequestHandler):
    """The least that can be forwarded to: it says what came."""

    protocol_version = "HTTP/1.1"
    came: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        """Answer whatever is asked, and remember it."""
        self.came.append((self.path, self.headers.get("Authorization", "")))
        body = b'{"from": "the provider"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def use(binaries: Path, work: Path) -> str:
    """Use what is installed in a folder of commands, from a working directory; say what was seen.

    Raises `Failed`.
    """
    environ = {"PATH": f"{binaries}:/usr/bin:/bin", "HOME": str(work), "LANG": "C.UTF-8"}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    try:
        with database(binaries, environ) as url:
            settings = environ | SIGNED
            settings |= {
                "PROVIDERS": "stream,chatsdk",
                "STREAM_API_KEY": "smoke-key",
                "STREAM_API_SECRET": API_SECRET,
                "STREAM_BASE_URL": f"http://127.0.0.1:{server.server_port}",
                "HTTP_PORT": str(free_port()),
            }

            if url:
                settings["DATABASE_URL"] = url

            if redis := os.environ.get("TEST_REDIS_URL"):
                settings["REDIS_URL"] = redis

            _refuses_bad_settings(binaries, settings, work)
            return _serve(binaries, settings, work)
    finally:
        server.shutdown()


@contextlib.contextmanager
def database(binaries: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Make a PostgreSQL database for one run; yield its URL, empty where there is no server."""
    server = os.environ.get("TEST_DATABASE_URL")

    if not server:
        yield ""
        return

    name = f"smoke_{secrets.token_hex(6)}"
    python = [str(binaries / "python"), "-c", MAKE_DATABASE, server]
    _done([*python, f"CREATE DATABASE {name}"], environ)

    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        _done([*python, f"DROP DATABASE {name} WITH (FORCE)"], environ)


def _refuses_bad_settings(binaries: Path, settings: Mapping[str, str], work: Path) -> None:
    command = [str(binaries / "chatproxy"), "serve"]
    done = subprocess.run(
        command,
        env={**settings, "HTTP_PORT": "none"},
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        timeout=START_WITHIN,
    )
    _expect(done.returncode == 1, f"bad settings ended the start with {done.returncode}")
    _expect("HTTP_PORT: is not a port" in done.stderr, f"bad settings: {done.stderr}")


def _serve(binaries: Path, settings: Mapping[str, str], work: Path) -> str:
    chatproxy = str(binaries / "chatproxy")
    port = int(settings["HTTP_PORT"])
    _done([chatproxy, "db", "upgrade"], settings, work)
    _done([chatproxy, "check"], settings, work)
    made = json.loads(_done([chatproxy, "keys", "create", "smoke", "--json"], settings, work))
    log = work / "log"

    with log.open("wb") as output:
        process = subprocess.Popen(
            [chatproxy, "serve"], env=settings, cwd=work, stdout=output, stderr=output
        )

    try:
        _wait_until_ready(process, port, log)
        _done([chatproxy, "health"], settings, work)
        _done([chatproxy, "health", "--ready"], settings, work)
        _calls(port, made["apiKey"])
        process.send_signal(signal.SIGTERM)
        code = process.wait(STOP_WITHIN)
        _expect(code == 0, f"SIGTERM ended it with {code}\n{log.read_text()}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()

    for line in log.read_text().splitlines():
        _expect(json.loads(line)["level"] < 50, f"the log has an error: {line}")

    kept = settings.get("DATABASE_URL", "SQLite").partition(":")[0]
    counted = settings.get("REDIS_URL", "the worker's memory").partition(":")[0]
    return f"serve, health, tokens, a forwarded call, metrics, SIGTERM; {kept}, limits in {counted}"


def _calls(port: int, key: str) -> None:
    status, answer = ask(port, "GET", "/token/alice")
    _expect(status == 201 and answer["userId"] == "alice", f"/token/alice: {status} {answer}")

    status, answer = ask(port, "GET", "/proxy/app?api_key=any")
    _expect(status == 200 and answer == {"from": "the provider"}, f"/proxy/app: {status} {answer}")
    _expect(
        any(target == "/app?api_key=smoke-key" and token for target, token in Provider.came),
        f"the provider got {Provider.came}",
    )

    user = {"userId": "alice", "name": "Alice"}
    status, answer = ask(port, "POST", "/tokens", user, {"X-API-Key": key})
    _expect(status == 200 and answer["user"] == {"id": "alice", "name": "Alice"}, f"{answer}")
    _expect('chatproxy_tokens_minted_total{provider="chatsdk"} 1.0' in metrics(port), "no metrics")


def metrics(port: int) -> str:
    """Return what a scrape gets; raise `Failed` where it is refused."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    try:
        connection.request("GET", "/-/metrics")
        answer = connection.getresponse()
        text = answer.read().decode()
        _expect(answer.status == 200, f"/-/metrics: {answer.status} {text}")
        return text
    finally:
        connection.close()


def ask(
    port: int,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """Make one call; return its status and what its JSON holds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    content = None if body is None else json.dumps(body)
    sent = {"Content-Type": "application/json", **(headers or {})} if content else headers or {}

    try:
        connection.request(method, path, content, dict(sent))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_WITHIN

    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            if ask(port, "GET", "/-/ready")[0] == 200:
                return

        time.sleep(0.1)

    raise Failed(f"it does not serve\n{log.read_text()}")


def _done(command: list[str], environ: Mapping[str, str], work: Path | None = None) -> str:
    done = subprocess.run(
        command,
        env=dict(environ),
        cwd=work or "/",
        capture_output=True,
        text=True,
        check=False,
        timeout=START_WITHIN,
    )
    _expect(done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def _expect(condition: object, otherwise: str) -> None:
    if not condition:
        raise Failed(otherwise)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
