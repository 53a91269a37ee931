"""Check-ups for a page: each part is asked at most once in a while, however many people look.

What was found is shared by the workers, so a load that another one answers asks nobody again. A
part that is slow keeps no page waiting for long: its answer is there for the next one.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from chatproxy.errors import ChatproxyError
from chatproxy.metrics.lately import Fact, newest_facts
from chatproxy.metrics.series import every_segment, store
from chatproxy.services import Part, Services

log = logging.getLogger(__name__)

#: Seconds for which a part is not asked again.
FRESH = 15

#: Seconds that a page waits for answers.
PATIENCE = 2.0

FAILED = "The check-up itself failed; the log says why."


class Checks:
    """The check-ups of one worker."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._under_way: dict[str, threading.Thread] = {}

    def look(self) -> dict[str, Fact]:
        """Return by part the last answer there is: `at`, `fault` and `said`."""
        until = self._services.clock.monotonic() + PATIENCE

        for thread in self._begun():
            thread.join(max(0.0, until - self._services.clock.monotonic()))

        return _told("checked")

    def _begun(self) -> Sequence[threading.Thread]:
        """Ask each part that was not asked lately; return what is under way here."""
        # Before a lock: whoever comes meanwhile waits for the same answers.
        with self._lock:
            asked = _told("asked")

            for part in self._parts():
                if part.name not in self._under_way and self._is_due(asked.get(part.name)):
                    self._begin(part)

            return list(self._under_way.values())

    def _parts(self) -> Iterator[Part]:
        return (part for part in self._services.parts if part.ping is not None)

    def _is_due(self, fact: Fact | None) -> bool:
        # A clock that was set back must not end the check-ups.
        return fact is None or not 0 <= self._services.clock.now() - fact["at"] < FRESH

    def _begin(self, part: Part) -> None:
        _tell("asked", part.name, at=self._services.clock.now())
        thread = threading.Thread(target=self._ask, args=(part,), daemon=True)
        self._under_way[part.name] = thread
        thread.start()

    def _ask(self, part: Part) -> None:
        try:
            fault = _fault_of(part)
            backend = self._services.backends.get(part.name)
            said = "" if backend is None else backend.credential.said
            _tell("checked", part.name, at=self._services.clock.now(), fault=fault, said=said)
        finally:
            with self._lock:
                del self._under_way[part.name]


def _fault_of(part: Part) -> str:
    assert part.ping is not None  # noqa: S101 - others are not asked

    try:
        part.ping()
    except ChatproxyError as error:
        return error.message
    except Exception:
        log.exception("check-up failed", extra={"part": part.name})
        return FAILED

    return ""


def _tell(kind: str, name: str, **fact: Any) -> None:
    store().segment.lately.tell(f"{kind} {name}", fact)


def _told(kind: str) -> dict[str, Fact]:
    facts = newest_facts(segment.lately for segment in every_segment())
    start = f"{kind} "
    return {name.removeprefix(start): one for name, one in facts.items() if name.startswith(start)}
