"""Files that change while it runs: secrets that rotate, bad ones, workers that start later."""

import dataclasses
import hmac
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme

from chatproxy.errors import TokenRejected
from chatproxy.signing import tokens
from tests import commands
from tests.calls import Reply, call
from tests.databases import migrate, run_at
from tests.directories import beside
from tests.limiting.conftest import OwnRedis
from tests.mounted import swap, wait_for
from tests.postgresql import Server, servers
from tests.providers.imbachat.conftest import basic
from tests.sidecar import Sidecar

OFTEN = "100000 per minute"
OVERLAP = 20
#: Within what a change is in force at every worker: 5 seconds are promised, on a machine that is
#: not busy with other tests.
SEEN_WITHIN = 10


def secrets(turn: str) -> dict[str, str]:
    """A text for every secret that can be in a file."""
    return {
        "STREAM_API_KEY": f"streamkey{turn}",
        "STREAM_API_SECRET": f"canary-stream-{turn}-0123456789abcdef0123",
        "KEY_SIGNING_SECRET": f"canary-signing-{turn}-0123456789abcdef01",
        "CHATSDK_JWT_SECRET": f"canary-jwt-{turn}-0123456789abcdef012345",
        "CENTRIFUGO_TOKEN_SECRET": f"canary-ws-{turn}-0123456789abcdef0123456",
        "CHATSDK_API_KEY": f"canary-chatsdk-key-{turn}",
        "CENTRIFUGO_API_KEY": f"canary-centrifugo-key-{turn}",
        "PERFORMCHAT_JWT_SECRET": f"canary-perform-{turn}-0123456789abcdef01",
        "PERFORMCHAT_KEY_ID": f"pk_canary_{turn}",
        "PERFORMCHAT_KEY_SECRET": f"sk_canary_perform_secret_{turn}",
        "IMKIT_API_KEY": f"canary-imkit-key-{turn}",
        "IMKIT_CLIENT_KEY": f"canary-imkit-client-{turn}",
        "IMBACHAT_API_PASSWORD": f"canary-imba-password-{turn}, with a comma",
        "IMBACHAT_SECRET_KEY": f"canary-imba-secret-{turn}-0123456789abcdef",
    }


ONE, TWO = secrets("one"), secrets("two")


class _Recorder(BaseHTTPRequestHandler):
    """Answers every call, and keeps what came."""

    calls: list[dict[str, Any]]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        fields = {name.lower(): value for name, value in self.headers.items()}
        self.calls.append({"target": self.path, "fields": fields, "body": body})
        answer = b'{"RC": 0}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = _answer  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        pass


@dataclasses.dataclass
class Site:
    """A sidecar with every provider on, all of its secrets in a mounted folder."""

    sidecar: Sidecar
    mounted: Path
    calls: list[dict[str, Any]]
    key: dict[str, str]

    @property
    def port(self) -> int:
        return self.sidecar.port

    def ready(self) -> dict[str, Any]:
        reply = call(self.port, "GET", "/-/ready")
        assert reply.status == 200
        found: dict[str, Any] = reply.json
        return found

    def token(self, user_id: str = "alice") -> dict[str, Any]:
        field = f"X-API-Key: {self.key['apiKey']}"
        reply = call(self.port, "POST", "/tokens", field, body={"userId": user_id})
        assert reply.status == 200, reply.json
        found: dict[str, Any] = reply.json
        return found

    def validate(self, token: str, path: str = "/tokens/validate") -> Reply:
        return call(self.port, "GET", path, f"Authorization: Bearer {token}")

    def perform_token(self) -> str:
        body = {"userId": "alice", "keyId": self.key["keyId"], "keySecret": self.key["keySecret"]}
        reply = call(self.port, "POST", "/rest/v1/auth/token", body=body)
        assert reply.status == 200, reply.json
        found: str = reply.json["token"]
        return found

    def perform_verify(self, token: str) -> Reply:
        return call(self.port, "POST", "/rest/v1/auth/verify", f"Authorization: Bearer {token}")

    def webhook(self, secret: str) -> bool:
        body = '{"type": "message.new"}'
        signature = hmac.new(secret.encode(), body.encode(), "sha256").hexdigest()
        event = {"rawBody": body, "signature": signature}
        reply = call(self.port, "POST", "/webhook/verify", body=event)
        assert reply.status == 200, reply.json
        found: bool = reply.json["isValid"]
        return found

    def with_key(self, key: str) -> int:
        return call(self.port, "GET", "/api/users/alice", f"X-API-Key: {key}").status

    def imbachat(self, password: str) -> int:
        return call(self.port, "GET", "/imbachat/users", basic("imbachat", password)).status

    def sent_on(self, path: str, *fields: str, method: str = "GET") -> dict[str, Any]:
        """Forward a call; return what came of it at the provider's server."""
        self.calls.clear()
        reply = call(self.port, method, path, *fields)
        assert reply.status == 200, (path, reply.json)
        return self.calls[-1]

    def errors(self) -> list[dict[str, Any]]:
        return [line for line in self.sidecar.lines() if "refused, the last good" in line["msg"]]


def signs(secret: str, token: str) -> bool:
    try:
        tokens.read(token, [secret], time.time(), texts=())
    except TokenRejected:
        return False

    return True


@pytest.fixture(scope="module")
def recorder() -> Iterator[Any]:
    handler = type("Handler", (_Recorder,), {"calls": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def site_with(tmp_path: Path, output_folder: Path, recorder: Any) -> Iterator[Callable[..., Site]]:
    """Start a sidecar before one server for all providers."""
    url = f"http://127.0.0.1:{recorder.server_port}"
    running: list[Sidecar] = []

    def start(contents: dict[str, str] | None = None, **settings: str) -> Site:
        mounted = tmp_path / "mounted"
        documents = {"style.json": '{"web": {"v": 1}}', "ca.pem": _certificate()}
        swap(mounted, (ONE if contents is None else contents) | documents)
        environ = {
            "PROVIDERS": "stream,chatsdk,performchat,imkit,imbachat",
            "WORKERS": "2",
            "LOG_LEVEL": "trace",
            "SECRET_OVERLAP": f"{OVERLAP}s",
            "DATABASE_URL": f"sqlite:///{tmp_path}/d.db",
            "STYLE_CONFIG": str(mounted / "style.json"),
            "UPSTREAM_CA_FILE": str(mounted / "ca.pem"),
            "STREAM_BASE_URL": url,
            "CHATSDK_BASE_URL": url,
            "CENTRIFUGO_API_URL": f"{url}/centrifugo",
            "PERFORMCHAT_BASE_URL": url,
            "IMKIT_BASE_URL": url,
            "IMBACHAT_BASE_URL": url,
            "IMBACHAT_DEV_ID": "1540",
            "TOKEN_RATE_LIMIT": OFTEN,
            "AUTH_FAILURE_LIMIT": OFTEN,
            "PERFORMCHAT_TOKEN_RATE_LIMIT": OFTEN,
            "LIMITS_WITHOUT_REDIS": "count",
            **{f"{name}_FILE": str(mounted / name) for name in contents or ONE},
        } | settings
        output = output_folder / f"renewal-{tmp_path.name}-{len(running)}.log"
        sidecar = Sidecar(output, environ).__enter__()
        running.append(sidecar)

        with beside(sidecar.environ) as directory:
            key = directory.keys.create("tests", "default", "platform").parts()

        commands.answer(sidecar.environ, "agents", "create", "Support", "--id", "a1")
        return Site(sidecar, mounted, recorder.RequestHandlerClass.calls, key)

    yield start

    for sidecar in running:
        sidecar.__exit__()


def _certificate() -> str:
    return trustme.CA().cert_pem.bytes().decode()


def everywhere(ask: Callable[[], Any]) -> list[Any]:
    """What so many fresh connections get that each of two workers has had one."""
    # One after the other: several at once would have the workers open more connections of theirs.
    return [ask() for _ in range(64)]


def test_rotated_secrets_are_taken_over_by_all_workers_and_the_old_ones_verify_for_a_while(
    site_with: Callable[..., Site],
) -> None:
    site = site_with()
    old, old_perform = site.token(), site.perform_token()
    assert site.sent_on("/proxy/app")["target"] == f"/app?api_key={ONE['STREAM_API_KEY']}"
    failures: list[Any] = []
    served = _asking(site, failures)

    try:
        began = time.monotonic()
        _swap(site, TWO)

        # In force everywhere at once: what one worker makes, all others accept.
        wait_for(lambda: signs(TWO["CHATSDK_JWT_SECRET"], site.token()["token"]), SEEN_WITHIN)
        assert time.monotonic() - began < SEEN_WITHIN
        made = everywhere(site.token)
        assert all(signs(TWO["CHATSDK_JWT_SECRET"], one["token"]) for one in made)
        assert all(signs(TWO["CENTRIFUGO_TOKEN_SECRET"], one["wsToken"]) for one in made)
        assert all(
            signs(TWO["PERFORMCHAT_JWT_SECRET"], one) for one in everywhere(site.perform_token)
        )

        # The old ones verify as well.
        assert {site.validate(old["token"]).status for _ in range(16)} == {200}
        assert site.validate(old["wsToken"], "/tokens/validate-ws").status == 200
        assert site.perform_verify(old_perform).status == 200
        assert site.webhook(ONE["STREAM_API_SECRET"])
        assert site.with_key(site.key["apiKey"]) == 200
        assert site.imbachat(ONE["IMBACHAT_API_PASSWORD"]) == 200
        assert time.monotonic() - began < OVERLAP, "too slow to tell"

        assert all(everywhere(lambda: site.webhook(TWO["STREAM_API_SECRET"])))
        assert site.imbachat(TWO["IMBACHAT_API_PASSWORD"]) == 200
        _check_what_is_sent_on(site)
    finally:
        made_meanwhile = served()

    assert made_meanwhile > 20
    assert failures == []

    # And then they do no longer, at any worker.
    wait_for(lambda: site.validate(old["token"]).status == 401, OVERLAP + SEEN_WITHIN)
    assert time.monotonic() - began > OVERLAP
    assert {site.validate(old["token"]).status for _ in range(16)} == {401}
    assert site.validate(old["wsToken"], "/tokens/validate-ws").status == 401
    assert site.perform_verify(old_perform).status == 401
    assert not any(everywhere(lambda: site.webhook(ONE["STREAM_API_SECRET"])))
    assert set(everywhere(lambda: site.with_key(site.key["apiKey"]))) == {401}
    assert set(everywhere(lambda: site.imbachat(ONE["IMBACHAT_API_PASSWORD"]))) == {401}
    assert site.webhook(TWO["STREAM_API_SECRET"])

    # One line says so, and no line shows any of them.
    for secret in (*ONE.values(), *TWO.values()):
        call(site.port, "GET", f"/nothing/{secret.split(',')[0]}")

    lines = [line for line in site.sidecar.lines() if line["msg"] == "changed settings in force"]
    output = site.sidecar.output.read_text()
    assert [sorted(line["config"]["changed"]) for line in lines] == [sorted(ONE)]
    assert [one for one in (*ONE.values(), *TWO.values()) if one in output] == []


def _asking(site: Site, failures: list[Any]) -> Callable[[], int]:
    """Make tokens and have them verified, one after the other, until the returned is called."""
    stop = threading.Event()
    served: list[int] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                # The key is the old one, so only as long as that is accepted.
                token = site.token()["token"]
                status = site.validate(token).status
            except (AssertionError, OSError, ValueError) as error:
                failures.append(error)
                return

            served.append(status)

            if status != 200:
                failures.append(status)

    threads = [threading.Thread(target=ask) for _ in range(2)]

    for thread in threads:
        thread.start()

    def end() -> int:
        stop.set()

        for thread in threads:
            thread.join()

        return len(served)

    return end


def _check_what_is_sent_on(site: Site) -> None:
    new = site.token()["token"]
    stream = site.sent_on("/proxy/app")
    assert stream["target"] == f"/app?api_key={TWO['STREAM_API_KEY']}"
    key = f"X-API-Key: {site.key['apiKey']}"
    sent = site.sent_on("/api/channels", f"Authorization: Bearer {new}")
    assert sent["fields"]["x-api-key"] == TWO["CHATSDK_API_KEY"]
    perform = json.loads(site.sent_on("/performchat/proxy/rest/v1/agents")["body"])
    assert perform["keyId"] == TWO["PERFORMCHAT_KEY_ID"]
    assert perform["keySecret"] == TWO["PERFORMCHAT_KEY_SECRET"]
    imkit = site.sent_on("/imkit/rooms", f"IM-API-KEY: {site.key['apiKey']}")
    assert imkit["fields"]["im-api-key"] == TWO["IMKIT_API_KEY"]
    imba = site.sent_on("/imbachat/proxy/x", method="POST")["fields"]["authorization"]
    assert imba == basic("1540", TWO["IMBACHAT_SECRET_KEY"]).partition(": ")[2]
    site.token("bob")
    assert call(site.port, "POST", "/api/users/bob/revoke-tokens", key).status == 200
    assert site.calls[-1]["fields"]["x-api-key"] == TWO["CENTRIFUGO_API_KEY"]
    assert call(site.port, "GET", "/api-key").json == {"api_key": TWO["STREAM_API_KEY"]}


def _swap(site: Site, contents: dict[str, str]) -> None:
    documents = {name: (site.mounted / name).read_text() for name in ("style.json", "ca.pem")}
    swap(site.mounted, documents | contents)


#: Files, and what is wrong with them; None is a file that is gone.
SPOILT: dict[str, dict[str, str | None]] = {
    "secret gone": {"STREAM_API_SECRET": None},
    "secret empty": {"CHATSDK_JWT_SECRET": ""},
    "secret too short": {"KEY_SIGNING_SECRET": "too short"},
    "secret in quotes": {"IMBACHAT_API_PASSWORD": "'in quotes'"},
    "document cut": {"style.json": '{"web": '},
    "document gone": {"style.json": None},
    "no certificate": {"ca.pem": "no certificate"},
    "certificates gone": {"ca.pem": None},
}


@pytest.mark.parametrize(
    ("how", "kinds"),
    [
        ("killed", ["secret gone", "secret in quotes", "document gone", "no certificate"]),
        ("reloaded", ["secret too short", "document cut"]),
        ("scaled", ["secret empty", "certificates gone"]),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_worker_that_starts_later_uses_what_the_first_process_has_checked(
    site_with: Callable[..., Site], how: str, kinds: list[str]
) -> None:
    site = site_with(SECRET_OVERLAP="60s")
    before = site.token()["token"]
    good = {path.name: path.read_text() for path in site.mounted.glob("[!.]*")}

    for kind in kinds:
        ((name, content),) = SPOILT[kind].items()
        # All others are good and new: they are not taken over either.
        swap(
            site.mounted,
            good | TWO | {name: content or ""},
            without=name if content is None else "",
        )
        wait_for(lambda name=name: _told_of(site.ready(), name), SEEN_WITHIN)
        _start_later(site, how)

        assert all(_told_of(one, name) for one in everywhere(site.ready))
        made = everywhere(site.token)
        assert all(signs(ONE["CHATSDK_JWT_SECRET"], one["token"]) for one in made)
        assert {site.validate(before).status for _ in range(16)} == {200}
        assert call(site.port, "GET", "/config?clientType=web").json["v"] == 1

        swap(site.mounted, good)
        wait_for(lambda: "config" not in site.ready(), SEEN_WITHIN)

    assert len(site.errors()) == len(kinds)
    assert site.sidecar.process.poll() is None


def _told_of(found: dict[str, Any], name: str) -> bool:
    """Check for a note that names the variable of a file, and no other one."""
    variable = {"style.json": "STYLE_CONFIG", "ca.pem": "UPSTREAM_CA_FILE"}.get(name, name)
    note: dict[str, str] = found.get("config", {"fault": "", "inForce": ""})
    assert note["inForce"] in ("", "the last good one")
    return note["fault"].startswith((f"{variable}: ", f"{variable}_FILE: "))


def _start_later(site: Site, how: str) -> None:
    before = set(site.sidecar.workers())

    if how == "killed":
        os.kill(min(before), signal.SIGKILL)
    elif how == "reloaded":
        site.sidecar.process.send_signal(signal.SIGHUP)
    else:
        site.sidecar.process.send_signal(signal.SIGTTIN)
        wait_for(lambda: len(site.sidecar.workers()) == len(before) + 1, 20)
        site.sidecar.process.send_signal(signal.SIGTTOU)

    def is_done() -> bool:
        now = set(site.sidecar.workers())
        gone = before - now
        return len(now) == len(before) and len(gone) >= (len(before) if how == "reloaded" else 1)

    wait_for(is_done, 40)
    wait_for(lambda: call(site.port, "GET", "/-/healthz").status == 200, 20)


def test_a_reload_takes_over_what_has_changed(site_with: Callable[..., Site]) -> None:
    site = site_with(SECRET_OVERLAP="10m")
    _swap(site, TWO | {"style.json": '{"web": {"v": 2}}'})
    _start_later(site, "reloaded")

    # At once, not with the next look: the new workers have started with it.
    assert all(signs(TWO["CHATSDK_JWT_SECRET"], one["token"]) for one in everywhere(site.token))
    assert call(site.port, "GET", "/config?clientType=web").json["v"] == 2
    assert site.errors() == []


def test_a_kept_secret_that_is_gone_is_not_made_anew(
    site_with: Callable[..., Site], tmp_path: Path
) -> None:
    site = site_with(contents={name: ONE[name] for name in ONE if name not in KEPT})
    before = site.token()["token"]
    (signing,) = (tmp_path / "d.db.secrets").glob("CHATSDK_JWT_SECRET")
    text = signing.read_text()
    signing.unlink()
    wait_for(lambda: "CHATSDK_JWT_SECRET" in str(site.ready().get("config")), SEEN_WITHIN)
    _start_later(site, "killed")

    assert {site.validate(before).status for _ in range(16)} == {200}
    assert not signing.exists()
    assert len(site.errors()) == 1

    # One that is put there instead is taken over as any other.
    signing.write_text("canary-put-by-hand-0123456789abcdef0123456789")
    signing.chmod(0o600)
    wait_for(
        lambda: signs("canary-put-by-hand-0123456789abcdef0123456789", site.token()["token"]),
        SEEN_WITHIN,
    )
    assert "config" not in site.ready()
    assert {site.validate(before).status for _ in range(16)} == {200}
    assert text.strip() not in site.sidecar.output.read_text()


KEPT = {
    "KEY_SIGNING_SECRET",
    "CHATSDK_JWT_SECRET",
    "CENTRIFUGO_TOKEN_SECRET",
    "PERFORMCHAT_JWT_SECRET",
    "IMBACHAT_API_PASSWORD",
    "IMBACHAT_SECRET_KEY",
}


def test_a_folder_that_is_gone_for_good_ends_nothing(site_with: Callable[..., Site]) -> None:
    site = site_with()
    shutil.rmtree(site.mounted)
    wait_for(lambda: "config" in site.ready(), SEEN_WITHIN)

    for how in ("killed", "reloaded"):
        _start_later(site, how)

    assert site.validate(site.token()["token"]).status == 200
    fault = site.ready()["config"]["fault"]
    assert all(f"{name}_FILE: " in fault for name in ONE)
    assert "STYLE_CONFIG: " in fault
    assert "UPSTREAM_CA_FILE: " in fault
    assert len(site.errors()) == 1


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Server]:
    """A PostgreSQL server that asks for a password."""
    if not os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("TEST_DATABASE_URL is not set: a PostgreSQL server for the tests")

    with servers() as (server, _):
        migrate(server.url)
        run_at(server.url, "ALTER ROLE postgres PASSWORD 'canary-one'")
        rules = server.folder / "pg_hba.conf"
        rules.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        server.control("reload")
        yield server


@pytest.fixture
def counters() -> Iterator[OwnRedis]:
    """A Redis that asks for a password."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")

    made = OwnRedis()
    made.start()

    with redis.Redis(port=made.port) as client:
        client.config_set("requirepass", "canary-one")

    yield made
    made.stop()


def test_the_passwords_of_database_and_redis_rotate(
    site_with: Callable[..., Site], database: Server, counters: OwnRedis
) -> None:
    def urls(password: str) -> dict[str, str]:
        return {
            "DATABASE_URL": database.url.replace("postgres@", f"postgres:{password}@"),
            "REDIS_URL": counters.url.replace("//", f"//:{password}@"),
        }

    def at_redis(password: str, *command: str) -> None:
        with redis.Redis(port=counters.port, password=password) as client:
            client.execute_command(*command)

    site = site_with(
        contents=ONE | urls("canary-one"), DATABASE_URL="", LIMITS_WITHOUT_REDIS="refuse"
    )
    everywhere(site.token)
    run_at(urls("canary-one")["DATABASE_URL"], "ALTER ROLE postgres PASSWORD 'canary-two'")
    at_redis("canary-one", "CONFIG", "SET", "requirepass", "canary-two")
    everywhere(site.token)  # connections that are open stay
    _swap(site, ONE | urls("canary-two"))
    said = "changed settings in force"
    wait_for(lambda: said in site.sidecar.output.read_text(), SEEN_WITHIN)
    everywhere(site.token)
    run_at(
        urls("canary-two")["DATABASE_URL"],
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid() "
        "AND application_name = 'chatproxy'",
    )
    at_redis("canary-two", "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    everywhere(site.token)
    assert [one for one in everywhere(site.ready) if one.keys() & {"limits", "directory"}] == []
    assert "canary-" not in site.sidecar.output.read_text()
