"""Faults of the answer: `ALTER` its content, `TAMPER` with its bytes, `SEND` it badly."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from .answers import Answer
from .faults import Fault
from .misbehaviour import FOR_EVER, HangUp
from .outgoing import Outgoing

# The peer's kernel drops what it has not handed on yet when an RST comes, so let it read first.
BEFORE_RESET = 0.1


def _gzip(answer: Answer, fault: Fault) -> Answer:
    # A fixed time in the gzip header, so that the same answer has the same bytes.
    body = gzip.compress(b"".join(answer.body), mtime=0)
    coded = replace(answer, body=(body,), size=len(body))
    return coded.with_headers((b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))


def _double(answer: Answer, fault: Fault) -> Answer:
    return answer.with_headers(
        (b"x-ratelimit-limit", b"300"),
        (b"Set-Cookie", b"first=1; Path=/"),
        (b"Set-Cookie", b"second=2; Path=/"),
        (b"Link", b"</one>; rel=next"),
        (b"Link", b"</two>; rel=prev"),
        (b"X-MiXeD-CaSe", b"Kept"),
    )


def _set_cookie(answer: Answer, fault: Fault) -> Answer:
    return answer.with_headers((b"set-cookie", b"sandbox=1; Path=/; HttpOnly"))


def _many_headers(answer: Answer, fault: Fault) -> Answer:
    return answer.with_headers(*((b"x-many-%03d" % n, b"%d" % n) for n in range(150)))


def _huge_header(answer: Answer, fault: Fault) -> Answer:
    return answer.with_headers((b"x-huge", b"a" * 70_000))


def _sized(answer: Answer, fault: Fault) -> Answer:
    body = b"".join(answer.body)
    return replace(answer, body=(body,), size=len(body))


def _chunked(answer: Answer, fault: Fault) -> Answer:
    return replace(answer, size=None)


def _cut_framing(answer: Answer, fault: Fault) -> Answer:
    return _sized(answer, fault) if fault.value == "sized" else _chunked(answer, fault)


def _drip_body(answer: Answer, fault: Fault) -> Answer:
    return replace(answer, body=_single_bytes(answer.body), interval=fault.seconds)


def _single_bytes(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from (piece[at : at + 1] for at in range(len(piece)))


def _no_content(answer: Answer, fault: Fault) -> Answer:
    return replace(answer, status=204)


def _bad_header(out: Outgoing, fault: Fault) -> None:
    out.insert(b"this line has no colon")


def _nul_header(out: Outgoing, fault: Fault) -> None:
    out.insert(b"x-nul: a\0b")


def _two_lengths(out: Outgoing, fault: Fault) -> None:
    out.insert(b"content-length: %d" % ((out.answer.size or 0) + 7))


def _length_too(out: Outgoing, fault: Fault) -> None:
    out.insert(b"content-length: 10")


def _status_line(out: Outgoing, fault: Fault) -> None:
    _, rest = out.head.split(b"\r\n", 1)
    out.head = fault.value.encode() + b"\r\n" + rest
    out.broken = True


def _body_on_204(out: Outgoing, fault: Fault) -> None:
    out.insert(b"content-length: 9")
    out.framed = iter((b"uninvited",))


def _no_length(out: Outgoing, fault: Fault) -> None:
    out.drop(b"content-length", b"transfer-encoding")
    out.framed = iter(out.answer.body)
    out.tail = bytes


def _drip_head(out: Outgoing, fault: Fault) -> None:
    for at in range(len(out.head)):
        out.wire.write(out.head[at : at + 1])
        out.wire.wait(fault.seconds)

    out.head = b""
    out.send()


def _stall_body(out: Outgoing, fault: Fault) -> None:
    out.send_half()
    out.wire.wait(FOR_EVER)


def _reset_body(out: Outgoing, fault: Fault) -> None:
    out.send_half()
    out.wire.wait(BEFORE_RESET)
    raise HangUp(reset=True)


def _cut(out: Outgoing, fault: Fault) -> None:
    out.tail = {"bad-chunk": lambda: b"zz\r\n"}.get(fault.value, bytes)
    if fault.value == "sized":
        out.send_half()
    else:
        out.send()

    raise HangUp


ALTER: dict[str, Callable[[Answer, Fault], Answer]] = {
    "gzip": _gzip,
    "double": _double,
    "set-cookie": _set_cookie,
    "many-headers": _many_headers,
    "huge-header": _huge_header,
    "two-lengths": _sized,
    "length-and-chunked": _chunked,
    "cut": _cut_framing,
    "drip-body": _drip_body,
    "body-on-204": _no_content,
}
TAMPER: dict[str, Callable[[Outgoing, Fault], None]] = {
    "bad-header": _bad_header,
    "nul-header": _nul_header,
    "two-lengths": _two_lengths,
    "length-and-chunked": _length_too,
    "status-line": _status_line,
    "body-on-204": _body_on_204,
    "no-length": _no_length,
}
SEND: dict[str, Callable[[Outgoing, Fault], None]] = {
    "drip-head": _drip_head,
    "stall-body": _stall_body,
    "reset-body": _reset_body,
    "cut": _cut,
}
