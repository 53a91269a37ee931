"""How a connection is opened: within one limit, over every address of a name."""

import socket
import time
from typing import Any

import pytest
from chatproxy.forwarding.dialling import Dialler
from chatproxy.forwarding.patience import Limits, Patience

from chatproxy.errors import UpstreamTimeout, UpstreamUnreachable
from chatproxy.forwarding.target import Upstream
from tests.sidecar import free_port


def patience(total: float = 1) -> Patience:
    limits = Limits(connect=0.3, read=1, total=total, body_idle=1, body_total=1, body_bytes=1)
    return Patience(limits, time.monotonic)


def resolving_to(monkeypatch: pytest.MonkeyPatch, *ports: int, seconds: float = 0) -> Dialler:
    """A dialler whose look-ups take a while and find an address for each port."""

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        time.sleep(seconds)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return Dialler(Upstream.at("http://chat.example"), ca_file=None)


@pytest.mark.parametrize("total", [1, 0.2], ids=["connect limit", "total limit"])
def test_a_slow_look_up_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch, total: float) -> None:
    dialler = resolving_to(monkeypatch, free_port(), seconds=2)
    started = time.monotonic()

    with pytest.raises(UpstreamTimeout):
        dialler.connect(patience(total))

    assert time.monotonic() - started < 1
    dialler.close()


def test_the_next_address_is_tried_where_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dialler = resolving_to(monkeypatch, free_port(), listener.getsockname()[1])
        connection = dialler.connect(patience())

        assert connection.is_silent()
        connection.close()
        dialler.close()


def test_a_name_without_an_address_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    dialler = resolving_to(monkeypatch)

    with pytest.raises(UpstreamUnreachable):
        dialler.connect(patience())

    dialler.close()
