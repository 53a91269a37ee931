"""How a connection is opened: within one limit, over every address of a name."""

import os
import socket
import time
from typing import Any

import pytest

from chatproxy.errors import UpstreamTimeout, UpstreamUnreachable
from chatproxy.forwarding.connect import Connector
from chatproxy.forwarding.target import Upstream
from chatproxy.forwarding.timeouts import Deadline, Limits
from tests.sidecar import free_port


def deadline(total: float = 1) -> Deadline:
    limits = Limits(connect=0.3, read=1, total=total, body_idle=1, body_total=1, body_bytes=1)
    return Deadline(limits, time.monotonic)


def resolving_to(monkeypatch: pytest.MonkeyPatch, *ports: int, seconds: float = 0) -> Connector:
    """A connector whose look-ups take a while and find an address for each port."""

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        time.sleep(seconds)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return Connector(Upstream.at("http://chat.example"), ca_file=None)


@pytest.mark.parametrize("total", [1, 0.2], ids=["connect limit", "total limit"])
def test_a_slow_look_up_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch, total: float) -> None:
    connector = resolving_to(monkeypatch, free_port(), seconds=2)
    started = time.monotonic()

    with pytest.raises(UpstreamTimeout):
        connector.connect(deadline(total))

    assert time.monotonic() - started < 1
    connector.close()


def test_the_next_address_is_tried_where_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connector = resolving_to(monkeypatch, free_port(), listener.getsockname()[1])
        connection = connector.connect(deadline())

        assert connection.is_silent()
        connection.close()
        connector.close()


def test_a_name_without_an_address_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    connector = resolving_to(monkeypatch)

    with pytest.raises(UpstreamUnreachable):
        connector.connect(deadline())

    connector.close()


def test_a_small_second_write_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and body go out apart; with Nagle's algorithm the body would wait for an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connector = resolving_to(monkeypatch, listener.getsockname()[1])
        connection = connector.connect(deadline())

        with socket.socket(fileno=os.dup(connection.fileno())) as sock:
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

        connection.close()
        connector.close()
