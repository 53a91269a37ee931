"""Where the stand-in listens, what it counts, and how it ends."""

import signal
import socket
import subprocess
import sys
import time
from typing import Any

import pytest

from sandbox import (
    API_SECRET,
    CentrifugoSandbox,
    ChatSDKSandbox,
    StreamSandbox,
    centrifugo,
    chatsdk,
    serve,
)
from tests.sandbox.client import Client, with_key
from tests.wire import ask, get

SERVE = """
import logging, sys
from sandbox import serve

logging.basicConfig(level="INFO", format="%(message)s %(url)s")
serve(port=0, **dict(zip(["provider"], sys.argv[1:])))
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
@pytest.mark.parametrize("kind", [StreamSandbox, ChatSDKSandbox, CentrifugoSandbox])
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


def test_open_connections_are_counted(client: Client, stand_in: StreamSandbox) -> None:
    socks = [client.connect() for _ in range(50)]
    _until(lambda: stand_in.open_connections() == 50)

    for sock in socks:
        sock.close()

    _until(lambda: stand_in.open_connections() == 0)


def test_a_thousand_connections_are_held(client: Client, stand_in: StreamSandbox) -> None:
    socks = [client.connect() for _ in range(1000)]
    _until(lambda: stand_in.open_connections() == 1000)
    assert client.call("GET", "/app").status == 200

    for sock in socks:
        sock.close()


def test_stopping_ends_everything() -> None:
    with StreamSandbox() as stand_in:
        idle = Client(stand_in).connect()
        _until(lambda: stand_in.open_connections() == 1)

    with idle:
        assert idle.recv(1) == b""

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", stand_in.port), timeout=1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_served_alone_it_logs_one_line_and_stops_when_told(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        port = int(line.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(f"GET {with_key('/app')} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert sock.recv(100).startswith(b"HTTP/1.1 401 ")

        process.send_signal(number)
        out, rest = process.communicate(timeout=10)

    assert (process.returncode, out, rest) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "name"), [([], "stream"), (["stream"], "stream"), (["chatsdk"], "chatsdk")]
)
def test_a_stand_in_is_served_by_its_name(arguments: list[str], name: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        health = ask(int(line.rsplit(":", 1)[1]), get("/health"))
        process.terminate()

    assert line.startswith(f"{name} stand-in listens")
    assert health.status == (200 if name == "chatsdk" else 401)


def test_a_provider_without_a_stand_in_is_refused() -> None:
    with pytest.raises(ValueError, match="only for stream, chatsdk"):
        serve(port=0, provider="irc")


def _until(true: object, timeout: float = 10) -> None:
    assert callable(true)
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
