"""`chatproxy serve`, as it is installed: from any folder, in one process, until a signal."""

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.commands import finished
from tests.sidecar import ROOT, Sidecar, bare_environ, free_port
from tests.upstream import StreamUpstream
from tests.wire import ask, get

CHATPROXY = str(Path(sys.executable).with_name("chatproxy"))
ACCOUNT = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}
#: Names that the sidecar or what it stands on imports, as somebody's own files may be called.
OWN_FILES = ("chatproxy", "redis", "flask", "wsgi", "h11")


class Served(Sidecar):
    command = (CHATPROXY, "serve")


def serve(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [CHATPROXY, "serve"]
    return finished(command, bare_environ() | ACCOUNT | environ, folder=folder, within=30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def test_it_serves_from_any_folder_and_ends_with_0(
    tmp_path: Path, folder: Path, upstream: StreamUpstream
) -> None:
    for name in OWN_FILES:
        (folder / f"{name}.py").write_text("raise SystemExit('not the installed one')\n")

    environ = ACCOUNT | {"STREAM_BASE_URL": upstream.url, "PROVIDERS": "stream,imbachat"}
    served = Served(tmp_path / "log", environ)
    served.folder = folder

    with served:
        assert ask(served.port, get("/token/alice")).status == 201
        assert (folder / "var" / "chatproxy.db").is_file()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(40) == 0


def test_signals_and_the_exit_code_are_the_servers_own(tmp_path: Path, folder: Path) -> None:
    """As the first process of a container it has nobody between the engine and the server."""
    served = Served(tmp_path / "log", ACCOUNT)
    served.folder = folder

    with served:
        (started,) = [line for line in served.lines() if line["msg"] == "chatproxy starts"]
        assert started["pid"] == served.process.pid


def test_bad_settings_end_it_with_one_message(folder: Path) -> None:
    done = serve(folder, HTTP_PORT="none")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "chatproxy cannot start: 1 problem in the settings",
        "  - HTTP_PORT: is not a port number from 1 to 65535.",
    ]


def message(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was said beside the log."""
    return [line for line in done.stderr.splitlines() if not line.startswith("{")]


def test_a_taken_port_ends_it_before_the_database_is_made(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = serve(folder, HTTP_PORT=port, STATUS_PORT=str(free_port()), PROVIDERS="imbachat")

    assert done.returncode == 1
    assert message(done) == [
        "chatproxy cannot start:",
        f"  - HTTP_PORT: another process listens on 127.0.0.1 port {port}. End it, or choose "
        "another port.",
    ]
    assert not (folder / "var" / "chatproxy.db").exists()


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("192.0.2.1", "192.0.2.1 is not an address of this machine."),
        ("2001:db8::1", "2001:db8::1 is not an address of this machine."),
        ("no-such-host.invalid", "cannot listen on no-such-host.invalid port "),
    ],
)
def test_an_address_that_is_not_here_ends_it(folder: Path, host: str, told: str) -> None:
    done = serve(folder, STATUS_HOST=host, STATUS_PORT=str(free_port()))

    assert done.returncode == 1
    assert message(done)[1].startswith(f"  - STATUS_PORT: {told}")


def test_a_port_that_is_about_to_be_left_is_waited_for(tmp_path: Path, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        served = Served(tmp_path / "log", ACCOUNT | {"HTTP_PORT": str(other.getsockname()[1])})
        served.folder = folder
        threading.Timer(2, other.close).start()

        # It would connect to the other one, too; only the sidecar answers.
        with served:
            assert ask(served.port, get("/token/alice")).status == 201


@pytest.mark.parametrize("application", ["chatproxy.wsgi:app", "wsgi:app"])
def test_gunicorn_serves_it_as_well(tmp_path: Path, folder: Path, application: str) -> None:
    served = Sidecar(tmp_path / "log", ACCOUNT)
    served.command = ("-m", "gunicorn", "-c", "python:chatproxy.gunicorn_conf", application)
    served.folder = ROOT if application == "wsgi:app" else folder

    with served:
        assert ask(served.port, get("/token/alice")).status == 201
