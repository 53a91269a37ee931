"""What a transaction is begun as, and which errors mean that its connection is of no more use.

Both kinds of database read the first from the connection's `info`, where SQLAlchemy keeps it with
the driver's connection.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

#: Under these names a connection's `info` holds what is begun, whether it was used before, and
#: whether its server takes no writes.
BEGINNING = "chatproxy_beginning"
USED = "chatproxy_used"
READ_ONLY = "chatproxy_read_only"


@dataclasses.dataclass(frozen=True)
class Beginning:
    """A transaction that is about to begin.

    `deadline` is until when it waits for SQLite's lock. What is `durable` survives a power
    failure.
    """

    writes: bool
    deadline: float = 0.0
    durable: bool = True


def replace_begin(engine: Engine, begin: Callable[[Any], None]) -> None:
    """Let `begin` open each transaction; it is given the driver's connection in its pool's wrap."""
    # Not the event of that name: what fails in there SQLAlchemy neither wraps nor looks at.
    engine.dialect.do_begin = begin  # type: ignore[method-assign,assignment]


def throw_away_after(engine: Engine, is_fatal: Callable[[BaseException], bool]) -> None:
    """Close the connection after such an error, and with it all that are kept."""

    @event.listens_for(engine, "handle_error")
    def look(context: ExceptionContext) -> None:
        if is_fatal(context.original_exception):
            context.is_disconnect = True
