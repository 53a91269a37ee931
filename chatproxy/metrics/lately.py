"""What happened last, in memory that a server's processes share as they share its counts.

Each process writes its own part alone, and all read: the last faults, and facts of which only the
newest is of interest. What a process has written outlives it; its successor goes on.
"""

import dataclasses
import json
import mmap
import threading
from collections.abc import Iterable, Mapping
from typing import Any

#: Bytes of a number, and of the head of a record: its number and its length.
WORD = 8
HEAD = 2 * WORD

#: Faults that a process keeps, and the bytes of one, of which its texts have a part each.
FAULTS = 32
FAULT_SIZE = 1024
LONGEST_TEXT = 130

#: Bytes of all facts of a process together.
FACTS_SIZE = 8192

#: How often a record is read that is being written meanwhile.
TRIES = 3

#: A fact: `at` is when it was told, in epoch seconds.
Fact = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Fault:
    """A request that ended badly, and not by the caller's fault. `at` is in epoch seconds.

    `status` is 0 where no answer had begun.
    """

    at: float
    side: str
    provider: str
    route: str
    status: int
    kind: str
    message: str
    request_id: str


class Record:
    """A text that one process writes, and others read whole or not at all."""

    # Its number is odd while it is written, so a reader in another process knows.

    def __init__(self, memory: memoryview) -> None:
        self._bytes = memory
        self._words = memory.cast("Q")

    def write(self, text: bytes) -> bool:
        """Replace the text; say whether there was room."""
        if HEAD + len(text) > len(self._bytes):
            return False

        number = self._words[0] | 1  # odd already where a former owner has died within
        self._words[0] = number
        self._words[1] = len(text)
        self._bytes[HEAD : HEAD + len(text)] = text
        self._words[0] = number + 1
        return True

    def read(self) -> Any:
        """Return what the text says as JSON; None without one."""
        for _ in range(TRIES):
            before = self._words[0]
            text = bytes(self._bytes[HEAD : HEAD + self._words[1]])

            if before % 2 == 0 and self._words[0] == before:
                return _parsed(text)

        return None


class Lately:
    """What one process has told."""

    def __init__(self) -> None:
        memory = memoryview(mmap.mmap(-1, WORD + FACTS_SIZE + FAULTS * FAULT_SIZE))
        self._count = memory[:WORD].cast("Q")
        self._facts = Record(memory[WORD : WORD + FACTS_SIZE])
        starts = range(WORD + FACTS_SIZE, len(memory), FAULT_SIZE)
        self._faults = [Record(memory[one : one + FAULT_SIZE]) for one in starts]
        self._lock = threading.Lock()

    def remember(self, fault: Fault) -> None:
        """Keep a fault in place of the oldest."""
        short = {
            name: _cut(value) if isinstance(value, str) else value
            for name, value in dataclasses.asdict(fault).items()
        }

        with self._lock:
            number = self._count[0]
            self._count[0] = number + 1
            self._faults[number % FAULTS].write(_written(short))

    def faults(self) -> Iterable[Fault]:
        """Return the faults that are kept, in no order."""
        found = (record.read() for record in self._faults)
        return [Fault(**one) for one in found if one is not None]

    def tell(self, name: str, fact: Fact) -> None:
        """Keep a fact in place of the one that had its name."""
        with self._lock:
            self._facts.write(_written({**self.told(), name: fact}))

    def told(self) -> dict[str, Fact]:
        """Return all facts by their names."""
        found = self._facts.read()
        return found if isinstance(found, dict) else {}


def newest_faults(parts: Iterable[Lately], most: int) -> list[Fault]:
    """Return the last faults of several processes, the newest first."""
    found = [fault for part in parts for fault in part.faults()]
    return sorted(found, key=lambda fault: fault.at, reverse=True)[:most]


def newest_facts(parts: Iterable[Lately]) -> dict[str, Fact]:
    """Return by each name the newest fact of several processes."""
    found: dict[str, Fact] = {}

    for part in parts:
        for name, fact in part.told().items():
            if name not in found or fact["at"] > found[name]["at"]:
                found[name] = fact

    return found


def _written(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # nothing yet, or not all of it is seen yet from this processor
        return None


def _cut(text: str) -> str:
    # By its bytes as JSON, or a text of strangers could be larger than its record.
    while len(_written(text)) > LONGEST_TEXT:
        text = text[: len(text) * LONGEST_TEXT // len(_written(text))]

    return text
