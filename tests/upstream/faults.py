"""Faults by name: the grammar, and the list of those ordered for requests to come.

`name` or `name=value`, several separated by `;`. A value that must hold a
semicolon is percent-encoded. What each fault does is in `misbehaviour`.
"""

import re
import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import unquote

from sandbox.wire import Head

HEADER = "x-sandbox-fault"


class FaultError(ValueError):
    """A fault that does not exist or whose value is not of its form."""


@dataclass(frozen=True)
class Fault:
    """One misbehaviour."""

    name: str
    value: str = ""

    @property
    def seconds(self) -> float:
        return float(self.value)


NOTHING = ""
SECONDS = r"\d+(\.\d+)?"
STATUS = r"[2-9]\d\d|429-budget"
TEXT = r"[^\r\n]+"

# What a fault's value must look like, and what the fault does.
FORMS = {
    "early": (STATUS, "answer after the head, read no body, close 2 s later"),
    "eof": (NOTHING, "on a reused connection: close instead of answering"),
    "status": (STATUS, "do nothing, answer with this status and the provider's error"),
    "redirect": (TEXT, "do nothing, answer 302 with this Location"),
    "slow": (SECONDS, "wait before the answer"),
    "never": (NOTHING, "do it and never answer"),
    "reset": (NOTHING, "do it, then RST before any byte of the answer"),
    "interim": (r"(100|102|103)( x \d{1,6})?", "send a 1xx before the answer, `x N` of them"),
    "switch": (NOTHING, "an unasked 101 instead of the answer, close 2 s later"),
    "gzip": (NOTHING, "gzip the body, the same bytes each time"),
    "set-cookie": (NOTHING, "set a cookie"),
    "keep-alive": (TEXT, "this as the Keep-Alive header"),
    "request-id": (TEXT, "this as the X-Request-ID header"),
    "many-headers": (NOTHING, "150 headers more"),
    "huge-header": (NOTHING, "one header of 70,000 bytes"),
    "bad-header": (NOTHING, "a header line without a colon"),
    "nul-header": (NOTHING, "a NUL in a header value"),
    "two-lengths": (NOTHING, "two Content-Length that differ"),
    "status-line": (TEXT, "this as the status line"),
    "body-on-204": (NOTHING, "a 204 with a length and a body"),
    "no-length": (NOTHING, "no framing: the body ends with the connection"),
    "drip-head": (SECONDS, "the head byte by byte, this far apart"),
    "stall-body": (NOTHING, "half of the body, then silence"),
    "reset-body": (NOTHING, "half of the body, then RST"),
    "cut": ("sized|chunked|bad-chunk", "half of a sized body, or no (or a bad) last chunk"),
    "close": (NOTHING, "close after the answer without having said so"),
}


def parse(text: str) -> tuple[Fault, ...]:
    """Read a fault list such as `slow=2; gzip`. Raises FaultError."""
    return tuple(_parse_one(part.strip()) for part in text.split(";") if part.strip())


def _parse_one(part: str) -> Fault:
    name, _, rest = part.partition("=")
    value = unquote(rest)
    if name not in FORMS or not re.fullmatch(FORMS[name][0], value):
        raise FaultError(f"no such fault: {part!r}")

    return Fault(name, value)


class _Order(NamedTuple):
    """Faults for the next request that fits; `path` may hold `*`."""

    faults: tuple[Fault, ...]
    path: str
    method: str

    def fits(self, head: Head) -> bool:
        return fnmatchcase(head.path, self.path) and self.method in ("*", head.method)


class Faults:
    """The faults ordered for requests to come, first come first served."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []
        self._lock = threading.Lock()

    def next(self, fault: str, *, path: str = "*", method: str = "*") -> None:
        """Order `fault` for the next request to `path` (no query, `*` matches any)."""
        order = _Order(parse(fault), path, method.upper())
        with self._lock:
            self._orders.append(order)

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()

    def pending(self) -> int:
        """How many ordered faults have not met their request yet."""
        with self._lock:
            return len(self._orders)

    def take(self, head: Head) -> tuple[Fault, ...]:
        """Return those that the request itself asks for, then the first order that fits."""
        try:
            asked = parse(";".join(head.values(HEADER)))
        except FaultError as error:
            return (Fault("unknown-fault", str(error)),)

        with self._lock:
            for order in self._orders:
                if order.fits(head):
                    self._orders.remove(order)
                    return asked + order.faults

        return asked
