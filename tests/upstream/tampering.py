"""Faults of the answer: `ALTER` its content, `TAMPER` with its bytes, `SEND` it badly."""

import gzip
from collections.abc import Callable
from dataclasses import replace

from sandbox.answers import Answer
from sandbox.outgoing import Outgoing
from sandbox.wire import Headers

from . import peer
from .faults import Fault
from .misbehaviour import HangUp

# The peer's kernel drops what it has not handed on yet when an RST comes, so let it read first.
BEFORE_RESET = 0.1

MORE_HEADERS: dict[str, Headers] = {
    "set-cookie": ((b"set-cookie", b"sandbox=1; Path=/; HttpOnly"),),
    "many-headers": tuple((b"x-many-%03d" % n, b"%d" % n) for n in range(150)),
    "huge-header": ((b"x-huge", b"a" * 70_000),),
}
RAW_LINES = {
    "bad-header": b"this line has no colon",
    "nul-header": b"x-nul: a\0b",
    "body-on-204": b"content-length: 9",
}


class Tampered(Outgoing):
    """An answer that faults may make invalid; `broken` is set then, and the connection ends."""

    broken = False

    def insert(self, *lines: bytes) -> None:
        """Put raw lines below the status line, whatever they hold."""
        first, rest = self.head.split(b"\r\n", 1)
        self.head = b"\r\n".join([first, *lines, rest])
        self.broken = True

    def send_half(self) -> None:
        """Write the head and about half of the body: the first piece where there are more."""
        self.wire.write(self.head)
        part = next(self.framed, b"")
        half = (self.answer.size or 0) // 2
        self.wire.write(part[:half] if half < len(part) and self.answer.size else part)

    def wait(self, seconds: float) -> None:
        peer.wait(self.wire.sock, seconds)


def _add_headers(answer: Answer, fault: Fault) -> Answer:
    return answer.with_headers(*MORE_HEADERS[fault.name])


def _keep_alive(answer: Answer, fault: Fault) -> Answer:
    return answer.with_headers((b"keep-alive", fault.value.encode()))


def _request_id(answer: Answer, fault: Fault) -> Answer:
    return answer.with_headers((b"X-Request-ID", fault.value.encode()))


def _gzip(answer: Answer, fault: Fault) -> Answer:
    # A fixed time in the gzip header, so that the same answer has the same bytes.
    body = gzip.compress(b"".join(answer.body), mtime=0)
    coded = replace(answer, body=(body,), size=len(body))
    return coded.with_headers((b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))


def _sized(answer: Answer, fault: Fault) -> Answer:
    body = b"".join(answer.body)
    return replace(answer, body=(body,), size=len(body))


def _cut_framing(answer: Answer, fault: Fault) -> Answer:
    return _sized(answer, fault) if fault.value == "sized" else replace(answer, size=None)


def _no_content(answer: Answer, fault: Fault) -> Answer:
    return replace(answer, status=204)


def _insert_line(out: Tampered, fault: Fault) -> None:
    out.insert(RAW_LINES[fault.name])


def _two_lengths(out: Tampered, fault: Fault) -> None:
    out.insert(b"content-length: %d" % ((out.answer.size or 0) + 7))


def _status_line(out: Tampered, fault: Fault) -> None:
    _, rest = out.head.split(b"\r\n", 1)
    out.head = fault.value.encode() + b"\r\n" + rest
    out.broken = True


def _body_on_204(out: Tampered, fault: Fault) -> None:
    _insert_line(out, fault)
    out.framed = iter((b"uninvited",))


def _no_length(out: Tampered, fault: Fault) -> None:
    framing = (b"content-length", b"transfer-encoding")
    lines = out.head.split(b"\r\n")
    out.head = b"\r\n".join(line for line in lines if line.split(b":")[0].lower() not in framing)
    out.broken = True
    out.framed = iter(out.answer.body)
    out.tail = bytes  # type: ignore[method-assign]


def _drip_head(out: Tampered, fault: Fault) -> None:
    for at in range(len(out.head)):
        out.wire.write(out.head[at : at + 1])
        out.wait(fault.seconds)

    out.head = b""
    out.send()


def _stall_body(out: Tampered, fault: Fault) -> None:
    out.send_half()
    out.wait(peer.FOR_EVER)


def _reset_body(out: Tampered, fault: Fault) -> None:
    out.send_half()
    out.wait(BEFORE_RESET)
    raise HangUp(reset=True)


def _cut(out: Tampered, fault: Fault) -> None:
    if fault.value == "sized":
        out.send_half()
    else:
        ending = b"zz\r\n" if fault.value == "bad-chunk" else b""
        out.tail = lambda: ending  # type: ignore[method-assign]
        out.send()

    raise HangUp


ALTER: dict[str, Callable[[Answer, Fault], Answer]] = {
    **dict.fromkeys(MORE_HEADERS, _add_headers),
    "keep-alive": _keep_alive,
    "request-id": _request_id,
    "gzip": _gzip,
    "two-lengths": _sized,
    "cut": _cut_framing,
    "body-on-204": _no_content,
}
TAMPER: dict[str, Callable[[Tampered, Fault], None]] = {
    **dict.fromkeys(RAW_LINES, _insert_line),
    "two-lengths": _two_lengths,
    "status-line": _status_line,
    "body-on-204": _body_on_204,
    "no-length": _no_length,
}
SEND: dict[str, Callable[[Tampered, Fault], None]] = {
    "drip-head": _drip_head,
    "stall-body": _stall_body,
    "reset-body": _reset_body,
    "cut": _cut,
}
