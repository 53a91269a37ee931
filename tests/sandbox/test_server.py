"""Where the stand-in listens, and how it ends."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sandbox import API_KEY, API_SECRET, SERVED, StreamSandbox, centrifugo, chatsdk
from tests.sandbox.client import Client, with_key
from tests.sidecar import ROOT
from tests.wire import ask, get


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
@pytest.mark.parametrize("kind", SERVED.values())
def test_it_refuses_to_be_reached_from_elsewhere(kind: Any, host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        kind(host=host)


def test_it_can_be_told_otherwise() -> None:
    with StreamSandbox(host="0.0.0.0", exposed=True) as stand_in:
        assert Client(stand_in).call("GET", "/app").status == 200


@pytest.mark.parametrize(
    "secret", [API_SECRET, chatsdk.JWT_SECRET, chatsdk.CENTRIFUGO_SECRET, centrifugo.TOKEN_SECRET]
)
def test_a_stand_ins_secret_says_what_it_is(secret: str) -> None:
    assert len(secret) >= 32
    assert "stand-in" in secret


def test_a_thousand_connections_are_held(client: Client) -> None:
    socks = [client.connect() for _ in range(1000)]
    assert client.call("GET", "/app").status == 200

    for sock in socks:
        sock.close()


def test_stopping_ends_everything() -> None:
    with StreamSandbox() as stand_in:
        client = Client(stand_in)
        idle = client.connect()
        # One that is answered later was accepted later.
        assert client.call("GET", "/app").status == 200

    with idle:
        assert idle.recv(1) == b""

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", stand_in.port), timeout=1)


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A stand-in in a process of its own, and the line that it begins with."""
    command = [sys.executable, "-m", "sandbox", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        yield process, process.stderr.readline()
        process.terminate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_served_alone_it_says_one_line_and_stops_when_told(number: signal.Signals) -> None:
    with served() as (process, line):
        port = int(line.rsplit(":", 1)[1])
        assert ask(port, get(with_key("/app"))).status == 401

        process.send_signal(number)
        _, rest = process.communicate(timeout=10)

    assert (process.returncode, rest) == (0, "")


@pytest.mark.parametrize("name", SERVED)
def test_a_stand_in_is_served_by_its_name(name: str) -> None:
    with served("--provider", name) as (_, line):
        assert line.startswith(f"{name} stand-in listens")


@pytest.mark.parametrize("arguments", [["--provider", "irc"], ["--host", "0.0.0.0"]])
def test_what_cannot_be_served_is_said(arguments: list[str]) -> None:
    with served(*arguments) as (process, _):
        assert process.wait(10) != 0


def test_serving_needs_nothing_of_the_sidecar() -> None:
    loaded = "any(name.startswith('chatproxy') for name in sys.modules)"
    code = f"import sys, sandbox.__main__; sys.exit({loaded})"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_sidecar_knows_the_stand_ins_account() -> None:
    """It refuses the pair before the real Stream, so both must mean the same one."""
    text = (ROOT / "chatproxy" / "providers" / "stream" / "settings.py").read_text()
    assert f'"{API_KEY}"' in text
    assert f'"{API_SECRET}"' in text
