"""Faults of conduct: `AT_ONCE` after the head, `INSTEAD` of the application, `BEFORE` the answer.

What happens to the answer itself is in `tampering`; `close` and `close-idle` are the connection's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .answers import Answer, Application, json_answer
from .faults import Fault
from .wire import Wire

FOR_EVER = 86_400.0
EARLY_HOLD = 2.0


class HangUp(Exception):
    """End the connection now, with RST where `reset` is set."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("on purpose")
        self.reset = reset


class Exchange(Protocol):
    """What a fault may touch of a request under way."""

    wire: Wire
    app: Application

    @property
    def reused(self) -> bool:
        """Whether the connection carried a request before this one."""

    def answer(self, answer: Answer) -> None:
        """Write an answer as it is and note its status."""


def _early(exchange: Exchange, fault: Fault) -> None:
    exchange.answer(exchange.app.failure(fault.value))
    exchange.wire.wait(EARLY_HOLD)
    raise HangUp


def _eof(exchange: Exchange, fault: Fault) -> None:
    if exchange.reused:
        raise HangUp


def _slow(exchange: Exchange, fault: Fault) -> None:
    exchange.wire.wait(fault.seconds)


def _never(exchange: Exchange, fault: Fault) -> None:
    exchange.wire.wait(FOR_EVER)


def _reset(exchange: Exchange, fault: Fault) -> None:
    raise HangUp(reset=True)


def _interim(exchange: Exchange, fault: Fault) -> None:
    head = b"HTTP/1.1 %s Interim\r\nlink: </style.css>; rel=preload\r\n\r\n" % fault.value.encode()
    for _ in range(fault.count):
        exchange.wire.write(head)


def _switch(exchange: Exchange, fault: Fault) -> None:
    lines = (b"HTTP/1.1 101 Switching Protocols", b"connection: upgrade", b"upgrade: sandbox")
    exchange.wire.write(b"\r\n".join((*lines, b"", b"")))
    exchange.wire.wait(EARLY_HOLD)
    raise HangUp


def _status(app: Application, fault: Fault) -> Answer:
    return app.failure(fault.value)


def _redirect(app: Application, fault: Fault) -> Answer:
    return app.failure("302").with_headers((b"location", fault.value.encode()))


def _unknown(app: Application, fault: Fault) -> Answer:
    return json_answer(400, {"error": fault.value})


AT_ONCE: dict[str, Callable[[Exchange, Fault], None]] = {"early": _early, "eof": _eof}
INSTEAD: dict[str, Callable[[Application, Fault], Answer]] = {
    "status": _status,
    "redirect": _redirect,
    # What a request gets that asks for a fault that does not exist.
    "unknown-fault": _unknown,
}
BEFORE: dict[str, Callable[[Exchange, Fault], None]] = {
    "slow": _slow,
    "never": _never,
    "reset": _reset,
    "interim": _interim,
    "switch": _switch,
}
