"""Puts the permissions documents in force: at each start once, and when one changes.

One worker does it for all (`server.baton`), in the background: neither the start nor readiness
waits for a provider. Where it fails it is tried again, less and less often. Should the worker end
in the middle, another one looks at what there is and goes on.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from chatproxy.errors import UpstreamError
from chatproxy.metrics import table
from chatproxy.providers.base import KeepsPermissions, Notes
from chatproxy.providers.permissions import Done, Permissions, Unanswered, Write, put_in_force
from chatproxy.services import Backend, Part, Services
from chatproxy.upkeep import state
from chatproxy.upkeep.asking import asker
from chatproxy.upkeep.state import BEGUN, Baton, State

log = logging.getLogger(__name__)

#: Seconds between two looks whether there is something to do.
TICK = 1.0

#: Seconds until a failed attempt is followed by another one: twice as many each time, up to the
#: longest. Each is shortened or lengthened by chance, so that replicas do not all come at once.
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
JITTER = 0.25

OUTCOMES = ("in_force", "refused", "limited", "unreachable", "unreadable", "stopped", "error")
SECTION = "permissions"

#: Changes and faults that are told; a document may have thousands.
MOST_TOLD = 10


class Upkeep:
    """The work of one worker on the documents of all its providers."""

    def __init__(
        self,
        services: Services,
        baton: Baton,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._services = services
        self._baton = baton
        self._chance = chance
        self._sleep = sleep
        self._monotonic = services.clock.monotonic
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin, if any provider has a document; it ends with the worker."""
        names = [name for name, _, _ in self._documents()]

        if not names:
            return

        for name in names:
            table.PERMISSIONS_PENDING.set(0, name)
            table.PERMISSIONS_WRITES.add(name, by=0)

            for outcome in OUTCOMES:
                table.PERMISSIONS_ATTEMPTS.add(name, outcome, by=0)

        part = Part(SECTION, self.notes, close=self._ended.set)
        self._services.parts = [*self._services.parts, part]
        threading.Thread(target=self._run, name=SECTION, daemon=True).start()

    def notes(self) -> Notes:
        """Return which documents are not in force, and why; what any worker has found."""
        states, now = self._states(), self._monotonic()
        told = {
            name: states.get(name, State()).told(kept.digest, now)
            for name, _, kept in self._documents()
        }
        pending = {name: text for name, text in told.items() if text}
        return {SECTION: pending} if pending else {}

    def look(self) -> None:
        """Do what is due, if no other process does."""
        self._services.renew()

        if self._is_settled() or not self._baton.take():
            return

        try:
            while not self._is_settled() and not self._is_over():
                for name, backend, kept in list(self._documents()):
                    self._try(name, backend, kept)

                self._sleep(TICK)
                self._services.renew()
        finally:
            for name, _, _ in self._documents():
                table.PERMISSIONS_PENDING.set(0, name)

            self._baton.give()

    def _run(self) -> None:
        while not self._is_over():
            try:
                self.look()
            except Exception:
                log.exception("permissions cannot be looked at")

            self._sleep(TICK)

    def _is_over(self) -> bool:
        return self._ended.is_set() or self._services.lifetime.is_ending()

    def _documents(self) -> Iterator[tuple[str, Backend, Permissions]]:
        for name, backend in self._services.backends.items():
            provider = backend.provider

            if isinstance(provider, KeepsPermissions) and provider.permissions is not None:
                yield name, backend, provider.permissions

    def _states(self) -> dict[str, State]:
        return state.read(self._baton.posted())

    def _is_settled(self) -> bool:
        states = self._states()
        return all(
            states.get(name, State()).is_in_force(kept.digest)
            for name, _, kept in self._documents()
        )

    def _post(self, name: str, found: State) -> None:
        self._baton.post(state.written(self._states() | {name: found}))

    def _try(self, name: str, backend: Backend, kept: Permissions) -> None:
        before = self._states().get(name, State())

        if before.is_in_force(kept.digest):
            return

        table.PERMISSIONS_PENDING.set(1, name)

        if not before.is_due(kept.digest, self._monotonic()):
            return

        tries = before.tries + 1 if before.digest == kept.digest else 1

        # Before the first call: whoever takes over must not begin anew as if nothing had failed.
        if before.digest != kept.digest:
            self._post(name, State(kept.digest, BEGUN))

        outcome, fault, wait = self._attempt(name, backend, kept)
        table.PERMISSIONS_ATTEMPTS.add(name, outcome)

        if outcome == "stopped":
            return

        again = self._monotonic() + self._wait(tries, wait)
        self._post(name, State(kept.digest, fault, tries if fault else 0, again))

        if not fault:
            table.PERMISSIONS_PENDING.set(0, name)

    def _attempt(
        self, name: str, backend: Backend, kept: Permissions
    ) -> tuple[str, str, float | None]:
        """Return what came of it, why it is not in force, and for how long to wait at least."""
        asked = asker(backend, self._services.clock.now)

        def told(write: Write) -> None:
            table.PERMISSIONS_WRITES.add(name)
            log.info(
                "permissions changed",
                extra={"provider": name, "permissions": {"changes": _first(write.changes)}},
            )

        try:
            done = put_in_force(kept, asked, told, goes_on=lambda: not self._is_over())
        except UpstreamError as error:
            kind = error.kind if isinstance(error, Unanswered) else "unreachable"
            wait = error.wait if isinstance(error, Unanswered) else None
            self._warn(name, error.message, error.detail)
            return kind, error.message, wait
        except Exception as error:
            # It must be seen, and tried again: a document half in force is worse than a late one.
            log.exception("permissions cannot be put in force", extra={"provider": name})
            return "error", f"It failed here ({type(error).__name__}).", None

        if done is None:
            return "stopped", "", None

        return self._ended_with(name, done)

    def _ended_with(self, name: str, done: Done) -> tuple[str, str, float | None]:
        if done.faults:
            fault = " ".join(_first([one.message for one in done.faults]))
            details = [one.detail for one in done.faults if one.detail]
            self._warn(name, fault, " ".join(_first(details)))
            return "refused", fault, None

        log.info(
            "permissions in force",
            extra={"provider": name, "permissions": {"writes": done.writes}},
        )
        return "in_force", "", None

    def _warn(self, name: str, fault: str, detail: str) -> None:
        told = {"fault": fault, "detail": detail} if detail else {"fault": fault}
        log.warning("permissions not in force", extra={"provider": name, "permissions": told})

    def _wait(self, tries: int, asked: float | None) -> float:
        own = min(FIRST_WAIT * 2.0 ** min(tries - 1, 16), LONGEST_WAIT)
        own *= 1 + JITTER * (2 * self._chance() - 1)
        # Never before the time that the provider names.
        return max(own, min(asked or 0.0, LONGEST_WAIT) * (1 + JITTER * self._chance()))


def _first(texts: Sequence[str]) -> list[str]:
    left = len(texts) - MOST_TOLD
    return [*texts[:MOST_TOLD], *([f"And {left} more."] if left > 0 else [])]
