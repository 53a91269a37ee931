"""`chatproxy health`: what a probe that runs a command is told."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from chatproxy import health, settings
from chatproxy.cli.health import command
from chatproxy.providers import SETTINGS
from chatproxy.settings.variables import declared
from tests.commands import finished
from tests.sidecar import ROOT, Sidecar, bare_environ, free_port

STREAM = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}
HEALTH = [sys.executable, "-m", "chatproxy", "health"]
NOT_READY = (
    b"HTTP/1.0 503 Service Unavailable\r\nContent-Type: application/json\r\n\r\n"
    b'{"status": "KO", "message": "It is being stopped."}'
)

Answer = Callable[[socket.socket], None]


@contextlib.contextmanager
def answering(answer: Answer) -> Iterator[int]:
    """A server that answers one connection like this, at the yielded port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()

                with connection:
                    connection.recv(65536)
                    answer(connection)

        serving = threading.Thread(target=serve)
        serving.start()
        yield int(listener.getsockname()[1])
        serving.join()


def sends(content: bytes) -> Answer:
    return lambda connection: connection.sendall(content)


def asked(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return finished([*HEALTH, *arguments], bare_environ() | environ)


def test_a_sidecar_is_alive_and_ready(sidecar: Sidecar) -> None:
    alive = asked(HTTP_PORT=str(sidecar.port))
    ready = asked("--ready", HTTP_PORT=str(sidecar.port))

    assert (alive.returncode, alive.stdout, alive.stderr) == (0, "alive\n", "")
    assert (ready.returncode, ready.stdout, ready.stderr) == (0, "ready\n", "")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (sends(NOT_READY), "answered 503: It is being stopped."),
        (sends(b"HTTP/1.1 503 x\r\n\r\n{"), "answered 503."),
        (sends(b"HTTP/1.1 404 Not Found\r\n\r\n[]"), "answered 404."),
        (sends(b"HTTP/1.1 500 x\r\n\r\n" + b'{"message": "a\\u001b[2J\\nb"}'), "500: a [2J b"),
        (sends(b"HTTP/1.1 500 x\r\n\r\n" + b"[" * 60_000), "answered 500."),
        (sends(b"SSH-2.0-OpenSSH_9.6\r\n"), "did not answer in HTTP."),
        (sends(b""), "did not answer in HTTP."),
    ],
    ids=["not ready", "half", "no object", "control characters", "nested", "no HTTP", "nothing"],
)
def test_what_is_wrong_is_one_line_and_exit_code_1(answer: Answer, said: str) -> None:
    with answering(answer) as port:
        done = asked("--ready", HTTP_PORT=str(port))

    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"chatproxy health: /-/ready at 127.0.0.1:{port} ")


def test_where_nothing_listens() -> None:
    done = asked(HTTP_PORT=str(free_port()))

    assert done.returncode == 1
    assert done.stderr.endswith(" refuses connections: nothing listens there.\n")


def drips(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for _ in range(100):
            connection.sendall(b"H")
            time.sleep(0.1)


def stays_silent(connection: socket.socket) -> None:
    connection.settimeout(30)
    connection.recv(1)


@pytest.mark.parametrize("answer", [drips, stays_silent])
def test_it_takes_no_longer_than_it_may(answer: Answer) -> None:
    """However often a byte comes."""
    with answering(answer) as port:
        done = asked("--timeout=0.3", HTTP_PORT=str(port))

    assert done.returncode == 1
    assert done.stderr.endswith(f"127.0.0.1:{port} has not answered within 0.3 s.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--redy"], "--redy"),
        (["now"], "now"),
        (["--timeout"], "--timeout"),
        (["--timeout", "0"], "--timeout"),
        (["--timeout", "nan"], "--timeout"),
        (["--ready=yes"], "--ready"),
        (["--url", "https://127.0.0.1:3000"], "--url"),
        (["--url", "http://127.0.0.1:3000/-/ready"], "--url"),
        (["--url", "http://127.0.0.1:70000"], "--url"),
        (["--url", "http://"], "--url"),
        (["--url", "http://bücher.example"], "--url"),
    ],
)
def test_what_it_does_not_understand_is_exit_code_2(arguments: list[str], said: str) -> None:
    done = asked(*arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_port_is_named() -> None:
    done = asked(HTTP_PORT="30O0")

    assert done.returncode == 2
    assert done.stderr == "chatproxy health: HTTP_PORT: is not a port number from 1 to 65535.\n"


def test_another_address_can_be_asked(sidecar: Sidecar) -> None:
    assert asked("--url", sidecar.url).returncode == 0
    assert asked(f"--url={sidecar.url}/", "--ready").returncode == 0


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", ">/dev/full", "| true"])
def test_streams_that_nobody_reads_change_nothing(sidecar: Sidecar, closed: str) -> None:
    shell = f'set -o pipefail; "$0" -m chatproxy health "$@" {closed}'
    good = ["bash", "-c", shell, sys.executable, "--url", sidecar.url]
    bad = ["bash", "-c", shell, sys.executable, "--url", f"http://127.0.0.1:{free_port()}"]

    done, failed = finished(good, bare_environ()), finished(bad, bare_environ())
    assert (done.returncode, done.stdout, done.stderr) == (0, done.stdout, "")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "Traceback" not in failed.stderr


ADDRESSES = [
    {},
    {"HTTP_PORT": "3100"},
    {"HTTP_PORT": " 3100\n", "BIND_HOST": "127.0.0.2"},
    {"HTTP_PORT": "", "BIND_HOST": ""},
    {"BIND_HOST": "0.0.0.0"},
    {"BIND_HOST": "::"},
    {"BIND_HOST": "::1", "HTTP_PORT": "3100"},
    {"BIND_HOST": "localhost"},
    {"STATUS_PORT": "3004"},
    {"STATUS_PORT": "3004", "STATUS_HOST": "0.0.0.0"},
    {"STATUS_PORT": "3004", "BIND_HOST": "127.0.0.2"},
    {"STATUS_HOST": "127.0.0.3"},
    {"CLIENT_PORT": "3002", "CLIENT_HOST": "127.0.0.4"},
]


@pytest.mark.parametrize("environ", ADDRESSES, ids=str)
def test_it_asks_where_the_server_listens(environ: dict[str, str]) -> None:
    table = settings.load(SETTINGS, STREAM | environ).listeners()
    (listener,) = [one for one in table if "status" in one.serves]

    assert health.address(environ) == (listener.host, listener.port)


@pytest.mark.parametrize(("host", "family"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("0", "")])
def test_a_server_on_every_address_is_asked_on_loopback(host: str, family: str) -> None:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET

    with socket.create_server((host, 0), family=kind) as listener:
        port = listener.getsockname()[1]
        peers = []

        def serve() -> None:
            connection, _ = listener.accept()

            with connection:
                peers.append(connection.getsockname()[0])
                connection.recv(1000)
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

        serving = threading.Thread(target=serve)
        serving.start()
        done = asked(HTTP_PORT=str(port), BIND_HOST=host)
        serving.join()

    assert done.returncode == 0
    assert peers == [family or "127.0.0.1"]


def test_a_probe_loads_nothing_but_itself(sidecar: Sidecar) -> None:
    """What else it loaded would cost more than all that it does."""
    script = (
        "import os, sys; before = set(sys.modules)\n"
        "from chatproxy import __main__, health\n"
        "health.run(True, None, 3.0, os.environ)\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    # Without `site`, by which an editable installation loads what a wheel does not.
    command = [sys.executable, "-S", "-c", script]
    environ = bare_environ() | {"HTTP_PORT": str(sidecar.port), "PYTHONPATH": str(ROOT)}
    verdict, loaded = finished(command, environ).stdout.splitlines()

    assert verdict == "ready"
    assert set(loaded.split()) <= {
        "chatproxy",
        "chatproxy.__main__",
        "chatproxy.health",
        "__future__",
        "_socket",
    }


def test_the_defaults_are_those_of_the_settings() -> None:
    defaults = {one.name: one.default for _, one in declared(settings.Settings)}

    assert (
        defaults["BIND_HOST"],
        defaults["HTTP_PORT"],
    ) == (health.DEFAULT_HOST, health.DEFAULT_PORT)


def test_help_is_told_by_the_command_that_is_never_run() -> None:
    done = asked("--help")

    assert done.returncode == 0
    assert "chatproxy health --ready --timeout 1" in done.stdout
    assert health.read(["--ready", "--url", "http://a", "--timeout", "1"]) is not None
    assert {one.name for one in command.params} == {"ready", "url", "timeout"}


@pytest.mark.parametrize("module", ["chatproxy", "chatproxy.cli"])
def test_it_is_among_the_commands(module: str) -> None:
    done = finished([sys.executable, "-m", module, "--help"], bare_environ())
    assert "  health " in done.stdout

    done = finished(
        [sys.executable, "-m", module, "health"],
        bare_environ() | {"HTTP_PORT": str(free_port())},
    )
    assert done.returncode == 1


def test_the_console_script_leads_to_it() -> None:
    assert "chatproxy = chatproxy.__main__:main" in (ROOT / "setup.cfg").read_text()
    assert os.access(ROOT / "chatproxy" / "__main__.py", os.R_OK)
