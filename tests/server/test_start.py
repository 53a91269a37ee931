"""How the sidecar starts, and how it refuses to."""

import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.commands import finished
from tests.sidecar import GUNICORN, ROOT, Sidecar, bare_environ, free_port
from tests.upstream import StreamUpstream
from tests.wire import answer_on, ask, connected, get


def start(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return finished([sys.executable, *arguments], bare_environ() | environ, within=30)


def test_bad_settings_end_the_start_with_one_message() -> None:
    done = start(*GUNICORN, HTTP_PORT="none", STREAM_API_SECRET="do-not-print-me,")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "chatproxy cannot start: 3 problems in the settings",
        "  - HTTP_PORT: is not a port number from 1 to 65535.",
        "  - STREAM_API_KEY: is missing. Set it to the API key of your Stream application, "
        "from its dashboard.",
        "  - STREAM_API_SECRET: is not the API secret of your Stream application, "
        "from its dashboard.",
    ]


def test_a_secret_that_would_sign_everything_wrong_ends_the_start() -> None:
    done = start(*GUNICORN, STREAM_API_KEY="key", STREAM_API_SECRET="'do-not-print-me'")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "chatproxy cannot start: 1 problem in the settings",
        "  - STREAM_API_SECRET: is not the API secret of your Stream application, from its "
        "dashboard: it is in quotes, which would be a part of it. Take them away.",
    ]


def test_the_first_process_loads_nothing_that_a_worker_must_patch() -> None:
    code = (
        "import sys; import chatproxy.gunicorn_conf; "
        "print([m for m in ('requests', 'urllib3', 'jwt', 'flask') if m in sys.modules])"
    )
    done = start("-c", code, STREAM_API_KEY="k", STREAM_API_SECRET="s" * 40)

    assert done.stdout.strip() == "[]", done.stderr


def test_both_processes_look_for_garbage_once_they_serve() -> None:
    """A worker that never did would grow until it is killed.

    They leave out what the start has made: so most of it stays shared between them.
    """
    code = (
        "import gc; from types import SimpleNamespace; from gunicorn.config import Config; "
        "from chatproxy import gunicorn_conf as c; "
        "looks = [gc.isenabled()]; c._watch.start = lambda: None; "
        "c.when_ready(None); looks.append(gc.isenabled()); before = gc.get_freeze_count(); "
        "c.post_fork(None, None); looks.append(gc.isenabled()); "
        "loaded = [[] for _ in range(2_000)]; "
        "c.post_worker_init(SimpleNamespace(wsgi=None, cfg=Config())); "
        "looks.append(gc.isenabled()); "
        "print(looks, before > 10_000, gc.get_freeze_count() > before + 1_000)"
    )
    done = start("-c", code, STREAM_API_KEY="k", STREAM_API_SECRET="s" * 40)

    assert done.stdout.strip() == "[False, True, False, True] True True", done.stderr


def test_every_line_of_the_output_is_json_and_warnings_are_said_once(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with sidecar_before(upstream.url, BIND_HOST="0.0.0.0", WORKERS="2") as sidecar:  # noqa: S104
        ask(sidecar.port, b"junk\r\n\r\n")

    warnings = [line["msg"] for line in sidecar.lines() if "ALLOWED_HOSTS" in line["msg"]]
    started = [line for line in sidecar.lines() if line["msg"] == "chatproxy starts"]
    assert len(warnings) == 1
    assert started[0]["providers"] == ["stream"]


def test_everything_but_the_probes_is_below_the_prefix(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with sidecar_before(upstream.url, SERVICE_PREFIX="/chat/v1") as sidecar:
        statuses = {
            path: ask(sidecar.port, get(path)).status
            for path in (
                "/chat/v1/token/a",
                "/chat/v1/proxy/app",
                "/-/ready",
                "/token/a",
                "/proxy/app",
            )
        }

    assert statuses == {
        "/chat/v1/token/a": 201,
        "/chat/v1/proxy/app": 200,
        "/-/ready": 200,
        "/token/a": 404,
        "/proxy/app": 404,
    }


def test_a_database_that_cannot_be_upgraded_stops_the_start(tmp_path: Path) -> None:
    """Else every worker would refuse all users, and nobody would know why."""
    path = tmp_path / "chatproxy.db"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    port = free_port()
    done = start(
        *GUNICORN,
        HTTP_PORT=str(port),
        PROVIDERS="chatsdk",
        CHATSDK_JWT_SECRET="s" * 40,
        KEY_SIGNING_SECRET="k" * 40,
        DATABASE_URL=f"sqlite:///{path}",
    )

    assert done.returncode == 1
    assert "chatproxy cannot start: `chatproxy db upgrade` failed" in done.stderr
    assert "Booting worker" not in done.stdout + done.stderr


def test_a_second_listener_serves_the_provider_at_its_root(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    root_port = free_port()

    with sidecar_before(
        upstream.url, STREAM_ROOT_PORT=str(root_port), SERVICE_PREFIX="/chat"
    ) as sidecar:
        places = [(root_port, "/x"), (sidecar.port, "/chat/proxy/x")]
        at_root = ask(root_port, get("/_sandbox/echo?a=%2F"))
        away = f"X-Sandbox-Fault: redirect={upstream.url}/elsewhere"
        redirected = [ask(port, get(path, away)).header("Location") for port, path in places]
        not_there = ask(root_port, get("/-/healthz"))
        assert ask(sidecar.port, get("/_sandbox/echo")).status == 404

    assert redirected == ["/elsewhere", "/chat/proxy/elsewhere"]
    assert at_root.status == 200
    assert upstream.journal[0].target.endswith("&a=%2F")
    assert not_there.status == 404
    assert b"more_info" in not_there.body


def test_the_worker_class_of_earlier_releases_is_warned_of_once(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with sidecar_before(upstream.url, WORKER_CLASS="gthread", WORKERS="2") as sidecar:
        assert ask(sidecar.port, get("/proxy/app")).status == 200
        assert ask(sidecar.port, get("/-/check-up")).status == 200

    warnings = [line["msg"] for line in sidecar.lines() if "WORKER_CLASS" in line["msg"]]
    assert len(warnings) == 1
    assert "no effect" in warnings[0]


def test_the_limit_on_open_files_is_raised_for_the_workers(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))

    try:
        with sidecar_before(upstream.url, WORKER_CONNECTIONS="1000") as sidecar:
            limits = Path(f"/proc/{sidecar.workers()[0]}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert int(line.split()[3]) == min(2256, hard)


def test_stream_alone_writes_nothing(tmp_path: Path) -> None:
    code = "from chatproxy.app import create_app; create_app()"
    environ = {"STREAM_API_KEY": "k", "STREAM_API_SECRET": "s" * 40, "PYTHONPATH": str(ROOT)}
    done = finished([sys.executable, "-c", code], bare_environ() | environ, folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_connection_that_always_asks_does_not_hold_up_the_others(sidecar: Sidecar) -> None:
    """The order of the lines is the order in which requests were served."""
    busy = get("/api-key", "X-Request-Id: busy") * 1200

    with connected(sidecar.port) as hurried, connected(sidecar.port) as patient:
        patient.sendall(get("/api-key", "X-Request-Id: there-already"))
        answer_on(patient)
        hurried.sendall(busy)
        hurried.recv(1)
        patient.sendall(get("/api-key", "X-Request-Id: patient"))
        answer_on(patient)
        sidecar.wait_for_line(req_id="patient")
        hurried.shutdown(socket.SHUT_WR)

        while hurried.recv(65536):
            pass

    order = [line["reqId"] for line in sidecar.completed(path="/api-key")]
    assert order.count("busy") == 1200
    assert order.index("patient") < 600
