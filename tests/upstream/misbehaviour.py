"""Faults of conduct: `AT_ONCE` after the head, `INSTEAD` of the application, `BEFORE` the answer.

What happens to the answer itself is in `tampering`; `close` is the connection's.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.answers import Answer, json_answer
from sandbox.application import Application

from .faults import Fault
from .peer import FOR_EVER

if TYPE_CHECKING:
    from .connection import UpstreamConnection

EARLY_HOLD = 2.0
# The headers of a 429 that is about Stream's query budget.
BUDGET = (
    (b"retry-after", b"1"),
    (b"x-budget-used-ms", b"30000"),
    (b"x-budget-limit-ms", b"30000"),
)


class HangUp(Exception):
    """End the connection now, with RST where `reset` is set."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("on purpose")
        self.reset = reset


def _early(exchange: "UpstreamConnection", fault: Fault) -> None:
    exchange.answer(_status(exchange.app, fault))
    exchange.wait(EARLY_HOLD)
    raise HangUp


def _eof(exchange: "UpstreamConnection", fault: Fault) -> None:
    if exchange.link.requests > 1:
        raise HangUp


def _slow(exchange: "UpstreamConnection", fault: Fault) -> None:
    exchange.wait(fault.seconds)


def _never(exchange: "UpstreamConnection", fault: Fault) -> None:
    exchange.wait(FOR_EVER)


def _reset(exchange: "UpstreamConnection", fault: Fault) -> None:
    raise HangUp(reset=True)


def _interim(exchange: "UpstreamConnection", fault: Fault) -> None:
    status, _, times = fault.value.encode().partition(b" x ")
    head = b"HTTP/1.1 %s Interim\r\nlink: </style.css>; rel=preload\r\n\r\n" % status
    for _ in range(int(times or 1)):
        exchange.wire.write(head)


def _switch(exchange: "UpstreamConnection", fault: Fault) -> None:
    lines = (b"HTTP/1.1 101 Switching Protocols", b"connection: upgrade", b"upgrade: sandbox")
    exchange.wire.write(b"\r\n".join((*lines, b"", b"")))
    exchange.wait(EARLY_HOLD)
    raise HangUp


def _status(app: Application[Any], fault: Fault) -> Answer:
    status, _, budget = fault.value.partition("-")
    answer = app.failure(int(status))
    return answer.with_headers(*BUDGET) if budget else answer


def _redirect(app: Application[Any], fault: Fault) -> Answer:
    return app.failure(302).with_headers((b"location", fault.value.encode()))


def _unknown(app: Application[Any], fault: Fault) -> Answer:
    return json_answer(400, {"error": fault.value})


AT_ONCE: dict[str, Callable[["UpstreamConnection", Fault], None]] = {"early": _early, "eof": _eof}
INSTEAD: dict[str, Callable[[Application[Any], Fault], Answer]] = {
    "status": _status,
    "redirect": _redirect,
    # What a request gets that asks for a fault that does not exist.
    "unknown-fault": _unknown,
}
BEFORE: dict[str, Callable[["UpstreamConnection", Fault], None]] = {
    "slow": _slow,
    "never": _never,
    "reset": _reset,
    "interim": _interim,
    "switch": _switch,
}
