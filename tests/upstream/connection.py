"""One connection's life with a journal, and each request with the faults that are due to it."""

import socket
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sandbox.answers import Answer
from sandbox.connection import Connection
from sandbox.wire import Head, Malformed, PeerLeft

from . import peer
from .control import PREFIX as CONTROL
from .faults import Fault
from .journal import Link, Received
from .misbehaviour import AT_ONCE, BEFORE, INSTEAD, HangUp
from .tampering import ALTER, SEND, TAMPER, Tampered

if TYPE_CHECKING:
    from .server import Upstream


class UpstreamConnection(Connection):
    """Its stages: note, `AT_ONCE`, answer (or `INSTEAD`), `BEFORE`, `ALTER`, `TAMPER`, `SEND`."""

    record: Received

    def __init__(self, sock: socket.socket, link: Link, upstream: "Upstream") -> None:
        super().__init__(sock, upstream.app)
        self.link = link
        self._upstream = upstream
        self._current: Received | None = None

    def serve(self) -> None:
        try:
            super().serve()
        finally:
            self._upstream.journal.closed(self.link, self._current)

    def pieces(self) -> Iterator[bytes]:
        """Return the body as it comes, counted into the journal."""
        for piece in super().pieces():
            self.record.take(piece)
            yield piece

        if not self.record.complete:
            self._upstream.journal.completed(self.record)

    def wait(self, seconds: float) -> None:
        peer.wait(self.wire.sock, seconds)

    def answer(self, answer: Answer) -> None:
        Tampered(self.wire, answer, self.head.method).send()
        self._upstream.journal.answered(self.record, answer.status)

    def exchange(self) -> bool:
        try:
            self._current = None
            return self._exchange()
        except HangUp as end:
            if end.reset:
                peer.reset_when_closed(self.wire.sock)

            return False
        except PeerLeft:
            if self._current is not None:
                self._upstream.journal.peer_left(self._current)

            raise

    def refuse(self, error: Malformed) -> None:
        if self._current is None:
            self._upstream.journal.open_malformed(self.link, self.wire.unread, error.reason)
        else:
            self._current.malformed = error.reason

        super().refuse(error)

    def _exchange(self) -> bool:
        head = self.wire.next_head()
        if head is None:
            return False

        plan = self._open(head)
        for fault in _of(AT_ONCE, plan):
            AT_ONCE[fault.name](self, fault)

        answer = self._answer(plan)
        for fault in _of(BEFORE, plan):
            BEFORE[fault.name](self, fault)

        for fault in _of(ALTER, plan):
            answer = ALTER[fault.name](answer, fault)

        broken = self._send(answer, plan)
        return self.goes_on(answer) and not broken and not _of({"close": None}, plan)

    def _open(self, head: Head) -> tuple[Fault, ...]:
        """Note the request and find its faults; control requests leave no trace and have none."""
        self.head = head
        self.link.requests += 1
        if head.path.startswith(CONTROL):
            self.app = self._upstream.control
            self.record = self._current = Received(0, self.link, head.raw)
            return ()

        self.app = self._upstream.app
        self.record = self._current = self._upstream.journal.open(self.link, head)
        return self._upstream.faults.take(head)

    def _answer(self, plan: tuple[Fault, ...]) -> Answer:
        """Ask the application, or what stands in for it, and see the upload to its end."""
        instead = _of(INSTEAD, plan)
        answer = INSTEAD[instead[0].name](self.app, instead[0]) if instead else self._respond()
        self.see_upload_through(answer)
        return answer

    def _respond(self) -> Answer:
        leaks = self._upstream.leaks
        wrong = leaks.complaint(self.head) if leaks and self.record.number else None
        if wrong is None:
            return self.app.respond(self)

        return self.app.failure(400).with_headers((b"x-sandbox-complaint", wrong.encode()))

    def _send(self, answer: Answer, plan: tuple[Fault, ...]) -> bool:
        """Write the answer; True where its bytes were made invalid on purpose."""
        out = Tampered(self.wire, answer, self.head.method)
        for fault in _of(TAMPER, plan):
            TAMPER[fault.name](out, fault)

        self._upstream.journal.answered(self.record, answer.status)
        badly = _of(SEND, plan)
        if badly:
            SEND[badly[0].name](out, badly[0])
        else:
            out.send()

        return out.broken


def _of(stage: Mapping[str, object], plan: tuple[Fault, ...]) -> list[Fault]:
    return [fault for fault in plan if fault.name in stage]
