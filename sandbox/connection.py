"""One connection's life: request after request, each with the faults that are due to it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .answers import Answer, Application
from .faults import Fault, FaultError, Faults
from .journal import Journal, Link, Received
from .misbehaviour import AT_ONCE, BEFORE, INSTEAD, HangUp
from .outgoing import Outgoing
from .tampering import ALTER, SEND, TAMPER
from .wire import Head, Malformed, PeerLeft, Wire

CONTROL = "/_sandbox/control/"
LINGER = 1.0


@dataclass(frozen=True)
class Site:
    """What all connections of one stand-in share; `control` answers under `CONTROL`."""

    app: Application
    control: Application
    journal: Journal
    faults: Faults


class Connection:
    """Serves one accepted socket until either side ends it."""

    head: Head
    record: Received

    def __init__(self, sock: socket.socket, link: Link, site: Site) -> None:
        self.wire = Wire(sock)
        self.app = site.app
        self._link = link
        self._site = site
        self._idle: float | None = None
        self._current: Received | None = None

    @property
    def reused(self) -> bool:
        """Whether the connection carried a request before this one."""
        return self._link.requests > 1

    def serve(self) -> None:
        """Answer until the connection ends; closes the socket."""
        reset = False
        try:
            while self._exchange():
                self._current = None
        except HangUp as end:
            reset = end.reset
        except PeerLeft:
            self._note_leave()
        except Malformed as error:
            self._refuse(error)
        finally:
            self.wire.close(reset=reset)
            self._site.journal.closed(self._link, self._current)

    def pieces(self) -> Iterator[bytes]:
        """Return the body of the current request as it comes, counted into the journal."""
        for piece in self.wire.body():
            self.record.take(piece)
            yield piece

        self._site.journal.completed(self.record)

    def answer(self, answer: Answer) -> None:
        """Write an answer as it is and note its status."""
        Outgoing(self.wire, answer, self.head.method).send()
        self._site.journal.answered(self.record, answer.status)

    def _exchange(self) -> bool:
        """Take one request through; False where the connection ends after it."""
        head = self.wire.next_head(self._idle)
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
        return self._goes_on(answer, plan) and not broken

    def _open(self, head: Head) -> tuple[Fault, ...]:
        """Note the request and find its faults; control requests leave no trace and have none."""
        self.head = head
        self._idle = None
        self._link.requests += 1
        if head.path.startswith(CONTROL):
            self.app = self._site.control
            self.record = self._current = Received(0, self._link, head.raw)
            return ()

        self.app = self._site.app
        self.record = self._current = self._site.journal.open(self._link, head)
        plan = self._plan(head)
        self.record.fault = "; ".join(map(str, plan))
        return plan

    def _plan(self, head: Head) -> tuple[Fault, ...]:
        try:
            return self._site.faults.take(head)
        except FaultError as error:
            return (Fault("unknown-fault", str(error)),)

    def _answer(self, plan: tuple[Fault, ...]) -> Answer:
        """Ask the application, or what stands in for it, and see the upload to its end."""
        stand_in = _of(INSTEAD, plan)
        if stand_in:
            answer = INSTEAD[stand_in[0].name](self.app, stand_in[0])
        else:
            answer = self.app.respond(self)

        if not answer.early and not self.record.complete:
            for _ in self.pieces():
                pass

        return answer

    def _send(self, answer: Answer, plan: tuple[Fault, ...]) -> bool:
        """Write the answer; True where its bytes were made invalid on purpose."""
        out = Outgoing(self.wire, answer, self.head.method)
        for fault in _of(TAMPER, plan):
            TAMPER[fault.name](out, fault)

        self._site.journal.answered(self.record, answer.status)
        badly = _of(SEND, plan)
        if badly:
            SEND[badly[0].name](out, badly[0])
        else:
            out.send()

        return out.broken

    def _goes_on(self, answer: Answer, plan: tuple[Fault, ...]) -> bool:
        if answer.early:
            self.wire.drain(LINGER)
            return False

        for fault in plan:
            if fault.name == "close":
                return False

            if fault.name == "close-idle":
                self._idle = fault.seconds

        return self.wire.is_reusable

    def _note_leave(self) -> None:
        if self._current is not None:
            self._site.journal.peer_left(self._current)

    def _refuse(self, error: Malformed) -> None:
        """Note what was no HTTP, answer with its status and close."""
        if self._current is None:
            self._site.journal.open_malformed(self._link, self.wire.unread, error.reason)
        else:
            self._current.malformed = error.reason

        try:
            Outgoing(self.wire, self.app.failure(str(error.status)), "GET").send()
            self.wire.drain(LINGER)
        except PeerLeft:
            return


def _of(stage: Mapping[str, object], plan: tuple[Fault, ...]) -> list[Fault]:
    """Return the faults of the plan that belong to one stage."""
    return [fault for fault in plan if fault.name in stage]
