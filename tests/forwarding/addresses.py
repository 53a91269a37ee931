"""Addresses of a name: a resolver of the tests' own, and addresses where nobody answers."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sidecar import GUNICORN, Sidecar

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


class NamedSidecar(Sidecar):
    """A sidecar for which every name leads to the places in the file that `PLACES` names."""

    command = (*GUNICORN[:-1], "tests.forwarding.named_places:app")


def write_places(path: Path, *places: Place) -> None:
    """Have the names of a `NamedSidecar` lead to these places from now on."""
    new = path.with_suffix(".new")
    new.write_text("".join(f"{host}:{port}\n" for host, port in places))
    new.replace(path)


def read_places(path: Path) -> list[Place]:
    lines = (line.rsplit(":", 1) for line in path.read_text().splitlines())
    return [(host, int(port)) for host, port in lines]
