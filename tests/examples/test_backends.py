"""The three backends by themselves, before a sidecar that does whatever a test wants."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from examples import demo
from tests.examples.running import free_ports
from tests.sidecar import ROOT, bare_environ

BACKENDS = ["flask", "fastapi", "express"]
OURS = {"X-Chat-Page": "1"}
SECRETS = {
    "SIDECAR_KEY": "cpk_the-access-key-of-this-test",
    "IMKIT_KEY": "pk_of-this-test.sk_the-secret-of-this-test",
    "SESSION_SECRET": "the-session-secret-of-this-test-0123456789",
}
AWAY = {"error": "The chat cannot be reached. Try again soon."}
START_WITHIN = 150


class Stub(ThreadingHTTPServer):
    """Stands where the sidecar is, and remembers who called and how often they connected."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.connections = 0
        self.calls: list[tuple[str, str, Any, dict[str, str]]] = []
        self.answer: Callable[[str], tuple[int, bytes]] = granting
        self.end = threading.Event()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        self.connections += 1
        return True


class Answering(BaseHTTPRequestHandler):
    """Answers every method alike."""

    protocol_version = "HTTP/1.1"
    server: Stub

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = json.loads(body) if body else None
        self.server.calls.append((self.command, self.path, given, dict(self.headers)))
        status, answer = self.server.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the base class looks for these names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def granting(path: str) -> tuple[int, bytes]:
    """Answer as the sidecar does."""
    end = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 900))
    result = {"_id": "1", "token": "it_new", "expirationDate": end}
    widget = {"user_id": 1, "token": "t", "user_key": "t", "scriptUrl": "u"}
    return 200, json.dumps(widget if "widget" in path else {"RC": 0, "result": result}).encode()


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with Stub() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.end.set()
        server.shutdown()


@pytest.fixture(scope="module")
def urls(stub: Stub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start the three, and return where each listens."""
    try:
        demo.check_node()
    except demo.Missing as missing:
        pytest.skip(str(missing))

    ports = {name: int(port) for name, port in free_ports().items()}
    output = tmp_path_factory.mktemp("backends")
    environ = bare_environ() | SECRETS
    environ |= {"CLIENT_KEY": "ck_public", "CHAT_URL": "http://127.0.0.1:1"}
    environ |= {
        "SIDECAR_URL": f"http://127.0.0.1:{stub.server_port}",
        "http_proxy": "http://[::1]:1",
    }
    processes = []

    for name, command in demo.commands(ports).items():
        own = environ | {"PORT": str(ports[f"{name.upper()}_PORT"])}

        with (output / name).open("wb") as log:
            processes.append(subprocess.Popen(command, cwd=ROOT, env=own, stdout=log, stderr=log))

    try:
        for name in BACKENDS:
            wait_for(ports[f"{name.upper()}_PORT"], output / name)

        yield {name: f"http://127.0.0.1:{ports[f'{name.upper()}_PORT']}" for name in BACKENDS}
    finally:
        for process in processes:
            process.terminate()

        for process in processes:
            process.wait(30)

    said = "".join(path.read_text() for path in output.iterdir())
    assert [name for name, secret in SECRETS.items() if secret in said] == []


def wait_for(port: int, log: Path) -> None:
    until = time.monotonic() + START_WITHIN

    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def url(urls: dict[str, str], stub: Stub, backend: str) -> str:
    stub.answer = granting
    stub.calls.clear()
    return urls[backend]


def session(url: str, user: str | None = "1") -> requests.Session:
    """Return a browser of somebody, logged in unless it is None."""
    made = requests.Session()
    made.trust_env = False
    made.headers.update(OURS)

    if user is not None:
        assert made.post(f"{url}/login", data={"user": user}, timeout=30).status_code == 200

    return made


def post(somebody: requests.Session, url: str, **options: Any) -> requests.Response:
    return somebody.post(url, timeout=30, **options)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_sidecar_is_asked_for_whoever_is_logged_in(url: str, stub: Stub):
    answer = post(session(url, "2"), f"{url}/chat", data={"user": "1", "_id": "1"})
    assert answer.status_code == 200
    assert 890 < answer.json().pop("expiresIn") <= 900
    assert answer.json() | {"expiresIn": 0} == {
        "token": "it_new",
        "expiresIn": 0,
        "url": "http://127.0.0.1:1",
        "clientKey": "ck_public",
        "widget": {"user_id": 1, "token": "t", "user_key": "t", "scriptUrl": "u"},
    }
    assert [call[:3] for call in stub.calls] == [
        ("POST", "/imkit/admin/clients", {"_id": "2", "nickname": "Bob", "issueAccessToken": True}),
        ("GET", "/imbachat/widget/2", None),
    ]

    for *_, head in stub.calls:
        sent = {name.lower(): value for name, value in head.items()}
        assert sent["x-chatproxy-key"] == SECRETS["SIDECAR_KEY"]
        assert sent["im-api-key"] == SECRETS["IMKIT_KEY"]
        assert "cookie" not in sent


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_logout_ends_the_tokens(url: str, stub: Stub):
    somebody = session(url)
    assert somebody.get(f"{url}/session", timeout=30).json() == {"name": "Alice"}
    assert post(somebody, f"{url}/logout").json() == {"name": None}
    assert [call[:3] for call in stub.calls] == [("DELETE", "/imkit/admin/clients/1/token", {})]
    assert post(somebody, f"{url}/chat").status_code == 401
    assert post(somebody, f"{url}/logout").json() == {"name": None}
    assert len(stub.calls) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_connections_to_the_sidecar_are_kept(url: str, stub: Stub):
    somebody = session(url)
    post(somebody, f"{url}/chat")
    before = stub.connections

    for _ in range(5):
        assert post(somebody, f"{url}/chat").status_code == 200

    assert len(stub.calls) == 12
    assert stub.connections == before


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("path", ["login", "chat", "logout"])
def test_a_page_of_another_site_is_refused(url: str, stub: Stub, path: str):
    somebody = session(url)
    form = {"data": {"user": "2"}, "headers": {"X-Chat-Page": None}}
    answer = post(somebody, f"{url}/{path}", **form)
    assert (answer.status_code, answer.json()) == (403, {"error": "This comes from another page."})
    assert somebody.get(f"{url}/session", timeout=30).json() == {"name": "Alice"}
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "x-chat-page"
    preflight = somebody.options(f"{url}/{path}", headers=asked, timeout=30)
    assert "access-control-allow-origin" not in preflight.headers
    assert stub.calls == []


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", [{}, {"user": ""}, {"user": "3"}, {"user": "__proto__"}], ids=str)
def test_nobody_else_is_let_in(url: str, form: dict[str, Any]):
    stranger = session(url, None)
    answer = post(stranger, f"{url}/login", data=form)
    assert (answer.status_code, answer.json()) == (401, {"error": "There is no such user."})
    assert post(stranger, f"{url}/chat").json() == {"error": "Log in first."}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_cookie_is_signed_and_for_the_backend_alone(url: str, backend: str):
    answer = post(session(url, None), f"{url}/login", data={"user": "1"})
    cookies = answer.raw.headers.getlist("Set-Cookie")
    assert all(one.startswith(f"{backend}_demo") for one in cookies)
    assert all("httponly" in one.lower() and "samesite=lax" in one.lower() for one in cookies)
    forged = {one.name: f"{one.value[:8]}A{one.value[9:]}" for one in answer.cookies}
    headers = OURS | {"Cookie": "; ".join(f"{name}={value}" for name, value in forged.items())}
    assert requests.post(f"{url}/chat", headers=headers, timeout=30).status_code == 401


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b'{"RC": 401, "RM": "cpk_ is not known"}'),
        (403, b"{}"),
        (404, b"{}"),
        (429, b"{}"),
        (500, b"no JSON"),
        (503, b"{}"),
    ],
)
def test_what_the_sidecar_refuses_is_told_without_a_secret(
    url: str, stub: Stub, status: int, body: bytes
):
    stub.answer = lambda _: (status, body)
    answer = post(session(url), f"{url}/chat")
    assert (answer.status_code, answer.json()) == (502, AWAY)


def test_a_sidecar_that_says_nothing_is_waited_for_five_seconds(urls: dict[str, str], stub: Stub):
    def silent(_: str) -> tuple[int, bytes]:
        stub.end.wait(60)
        return 200, b"{}"

    def asked(url: str) -> tuple[requests.Response, float]:
        somebody, began = session(url), time.monotonic()
        return post(somebody, f"{url}/chat"), time.monotonic() - began

    stub.answer = silent

    with ThreadPoolExecutor(len(urls)) as pool:
        for answer, seconds in pool.map(asked, urls.values()):
            assert (answer.status_code, answer.json()) == (502, AWAY)
            assert 4.5 < seconds < 25


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "path", ["express_backend.mjs", "access.yaml", "../access.yaml", "..%2faccess.yaml", ".env"]
)
def test_nothing_but_the_page_is_served(url: str, path: str):
    target = requests.Request("GET", url).prepare()
    target.url = f"{url}/{path}"

    with session(url, None) as stranger:
        assert stranger.send(target, timeout=30).status_code == 404
