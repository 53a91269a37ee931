"""Addresses of a name: a resolver of the tests' own, and addresses where nobody answers."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

Place = tuple[str, int]


@contextlib.contextmanager
def dead_address() -> Iterator[Place]:
    """Yield an address where a SYN is never answered: the backlog of its listener is full."""
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)

        for _ in range(4):
            sock = waiting.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())

        yield full.getsockname()


def found(place: Place, family: int = socket.AF_INET) -> tuple[Any, ...]:
    """An entry of `socket.getaddrinfo`."""
    return (family, socket.SOCK_STREAM, 6, "", place)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *places: Place) -> None:
    """Have every name lead to these places, in this order."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [found(one) for one in places])
