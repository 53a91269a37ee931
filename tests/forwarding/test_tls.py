"""The provider over TLS: verified, bounded, never without."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from chatproxy.forwarding.connect import Connector
from chatproxy.forwarding.target import Upstream
from chatproxy.forwarding.timeouts import Deadline, Limits
from chatproxy.settings.files import MountedFile
from tests.mounted import wait_for
from tests.sidecar import Sidecar
from tests.wire import ask, chunked, get

BIG = b"0123456789abcdef" * 100_000


@pytest.fixture
def secure(authority: tuple[trustme.CA, Path]) -> Iterator[int]:
    """The port of a server that answers each body with its length and its own big body."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority[0].issue_cert("localhost").configure_cert(context)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, context), daemon=True).start()
        yield listener.getsockname()[1]


def test_big_bodies_cross_both_ways(
    secure: int, authority: tuple[trustme.CA, Path], sidecar_before: Callable[..., Sidecar]
) -> None:
    url = f"https://localhost:{secure}"

    with sidecar_before(url, UPSTREAM_CA_FILE=str(authority[1])) as sidecar:
        for _ in range(2):  # the second over the kept connection
            answer = ask(sidecar.port, chunked("/proxy/x", BIG, BIG))
            assert (answer.status, answer.header("X-Received")) == (200, str(2 * len(BIG)))
            assert answer.body == BIG


def test_a_dot_at_the_end_of_a_name_is_no_part_of_it(
    authority: tuple[trustme.CA, Path], secure: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every resolver finds `localhost.`, so one of the test's own does."""
    asked = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    trusted = MountedFile(str(authority[1]), authority[1].read_bytes())
    connector = Connector(Upstream.at(f"https://localhost.:{secure}"), trusted)
    limits = Limits(connect=10, read=10, total=10, body_idle=10, body_total=10, body_bytes=10)

    connector.connect(Deadline(limits, time.monotonic)).close()
    connector.close()

    assert asked == ["localhost."]  # the resolver is told where the name ends


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_an_answer_without_length_is_whole_only_if_tls_ends_it(
    authority: tuple[trustme.CA, Path], sidecar_before: Callable[..., Sidecar], says_goodbye: bool
) -> None:
    """Anybody on the way can cut a connection, but not send TLS's last message."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority[0].issue_cert("localhost").configure_cert(context)

    def answer_once() -> None:
        with listener.accept()[0] as sock, context.wrap_socket(sock, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\n\r\nthe beginning")

            if says_goodbye:
                with contextlib.suppress(OSError):  # the other end may say none
                    secured.unwrap()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_once, daemon=True).start()
        url = f"https://localhost:{listener.getsockname()[1]}"

        with sidecar_before(url, UPSTREAM_CA_FILE=str(authority[1])) as sidecar:
            answer = ask(sidecar.port, get("/proxy/x"))

    assert (answer.body, answer.complete) == (b"the beginning", says_goodbye)


@pytest.mark.parametrize(
    ("host", "trusted"), [("127.0.0.1", True), ("localhost", False)], ids=["name", "authority"]
)
def test_a_certificate_that_does_not_fit_is_502(
    secure: int,
    authority: tuple[trustme.CA, Path],
    sidecar_before: Callable[..., Sidecar],
    host: str,
    trusted: bool,
) -> None:
    settings = {"UPSTREAM_CA_FILE": str(authority[1])} if trusted else {}

    with sidecar_before(f"https://{host}:{secure}", **settings) as sidecar:
        answer = ask(sidecar.port, get("/proxy/x"))
        line = sidecar.wait_for_line(path="/proxy/x")

    assert answer.status == 502
    assert "CERTIFICATE_VERIFY_FAILED" in line["error"]["detail"]


def test_a_handshake_that_stalls_is_504_at_the_connect_limit(
    sidecar_before: Callable[..., Sidecar],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"

        with sidecar_before(url, UPSTREAM_CONNECT_TIMEOUT="1") as sidecar:
            assert ask(sidecar.port, get("/proxy/x"), timeout=5).status == 504


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return

        threading.Thread(target=_answer, args=(sock, context), daemon=True).start()


def _answer(sock: socket.socket, context: ssl.SSLContext) -> None:
    try:
        with context.wrap_socket(sock, server_side=True) as secured, secured.makefile("rb") as read:
            while line := read.readline():
                while line not in (b"\r\n", b""):
                    line = read.readline()

                received = 0

                while size := int(read.readline(), 16):
                    received += len(read.read(size))
                    read.readline()

                read.readline()
                head = f"HTTP/1.1 200 OK\r\nX-Received: {received}\r\nContent-Length: {len(BIG)}"
                secured.sendall(head.encode() + b"\r\n\r\n" + BIG)
    except OSError:
        pass


def test_other_authorities_are_trusted_once_their_file_has_changed(
    authority: tuple[trustme.CA, Path],
    secure: int,
    tmp_path: Path,
    sidecar_before: Callable[..., Sidecar],
) -> None:
    """As with an authority that is replaced: no connection by the new one, then all of them."""
    trusted, right = tmp_path / "trusted.pem", authority[1].read_text()
    wrong = trustme.CA().cert_pem.bytes().decode()
    trusted.write_text(f"Größte Autorität\n{wrong}")

    with sidecar_before(
        f"https://localhost:{secure}", UPSTREAM_CA_FILE=str(trusted), WORKERS="2"
    ) as sidecar:

        def statuses() -> set[int]:
            return {ask(sidecar.port, chunked("/proxy/x", b"x")).status for _ in range(12)}

        assert statuses() == {502}
        trusted.write_text(f"{wrong}\n{right}")
        wait_for(lambda: statuses() == {200}, within=20)
        trusted.write_text("nobody")
        wait_for(lambda: b"UPSTREAM_CA_FILE" in ask(sidecar.port, get("/-/ready")).body, within=20)
        assert statuses() == {200}
