"""The directory at a PostgreSQL server, or at several of which one takes writes."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from chatproxy.identity import encodings, timeouts
from chatproxy.identity.transactions import (
    BEGINNING,
    READ_ONLY,
    USED,
    replace_begin,
    throw_away_after,
)

#: Connections kept open, and how many more there may be in a burst.
KEPT_CONNECTIONS = 5
MORE_CONNECTIONS = 15

#: SQLSTATE of a write that the server does not take: a standby, or one that was told so
#: (https://www.postgresql.org/docs/current/errcodes-appendix.html).
READ_ONLY_STATE = "25006"
TAKES_NO_WRITES = "ReadOnlySqlTransaction: the server takes no writes"

#: Classes of SQLSTATE, and single ones, that are about a statement or what it met. After any other
#: the connection goes: the server shuts down (57P01), cannot be talked to (08), is a standby
#: (25006, and 40001, which at our isolation level only its recovery causes), or a pooler says in
#: words of its own (XX000) that the server behind it is gone. So does one that may not do, or does
#: not see, what ours need (42): its user may have been replaced and dropped.
HARMLESS_CLASSES = ("21", "22", "23", "44", "53", "54", "55", "P0")
HARMLESS_STATES = ("40P01", "57014")  # a deadlock; a statement that took too long

#: SQLSTATE of a stored text that is not in the encoding of its database, and what is wrong with one
#: that a caller sent.
NO_TEXT_STATE = "22021"
TEXT_FAULTS = {
    "22001": ": it is too long",
    "22P05": ": the directory's database has no such character",
}

#: Seconds for which reads keep a connection to a server that takes no writes. A new one would be to
#: the server that does, where there is one by then.
READ_ONLY_KEPT = 1.0


def make_engine(
    url: Callable[[], str], monotonic: Callable[[], float], learn_encoding: Callable[[str], None]
) -> Engine:
    """Make an engine whose every wait ends: for the server, for a statement, for a row.

    `url` is called for each new connection, since its password may rotate. With each
    `learn_encoding` is told the name of the database's encoding.
    """

    def connect() -> Any:
        driver = _connect(url())
        learn_encoding(driver.info.parameter_status("server_encoding") or encodings.BEST)
        return driver

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        hide_parameters=True,
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MORE_CONNECTIONS,
        pool_timeout=timeouts.QUEUE,
    )
    # All in one message, which costs what the BEGIN alone would.
    opening = "; ".join(
        [
            "BEGIN ISOLATION LEVEL READ COMMITTED",
            f"SET LOCAL statement_timeout = {timeouts.STATEMENT_MS}",
            f"SET LOCAL lock_timeout = {timeouts.ROW_LOCK_MS}",
            "SELECT current_setting('transaction_read_only'), pg_backend_pid()",
        ]
    )

    def begin(connection: Any) -> None:
        info, now = connection.info, monotonic()

        with connection.cursor() as cursor:
            cursor.execute(opening)

            while cursor.nextset():
                pass

            read_only, session = cursor.fetchone()

        info[READ_ONLY] = read_only == "on"
        opened = info.setdefault(USED, now)

        if info[READ_ONLY] and (info[BEGINNING].writes or now - opened > READ_ONLY_KEPT):
            # As the server itself would say of a write, but before anything is asked.
            errors = engine.dialect.loaded_dbapi.errors
            error = errors.ReadOnlySqlTransaction(TAKES_NO_WRITES.partition(": ")[2])
            # Closed within a transaction, it takes a pooler's session with it; the pooler may have
            # others that are as old.
            error.pooled = session != connection.dbapi_connection.info.backend_pid
            raise error

    replace_begin(engine, begin)
    throw_away_after(engine, _is_fatal)
    return engine


def is_read_only(error: BaseException | None) -> bool:
    """Say whether a driver's error means that the server takes no writes."""
    return getattr(error, "sqlstate", None) == READ_ONLY_STATE


def is_of_a_pooler(error: BaseException | None) -> bool:
    """Say whether a pooler answered that the server takes no writes, for a session of any age."""
    return getattr(error, "pooled", False)


def _connect(url: str) -> Any:
    # Imported here: the driver is an extra.
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    given = conninfo_to_dict(url.replace("+psycopg", "", 1))
    ours: dict[str, Any] = {
        "autocommit": True,  # else the driver would send a BEGIN of its own
        "prepare_threshold": None,
        "client_encoding": "utf8",
    }
    defaults: dict[str, Any] = {
        "connect_timeout": int(timeouts.BUSY),
        "tcp_user_timeout": timeouts.STATEMENT_MS,
        "fallback_application_name": "chatproxy",
    }
    parameters = defaults | given | ours

    # libpq takes the first server that answers. Reads are served by any; but if one of several
    # takes writes, it is the one.
    several = any("," in str(given.get(name, "")) for name in ("host", "hostaddr"))

    if several and "target_session_attrs" not in given:
        try:
            return psycopg.connect(**parameters, target_session_attrs="read-write")
        except psycopg.OperationalError:
            pass

    return psycopg.connect(**parameters)


def _is_fatal(error: BaseException) -> bool:
    state = getattr(error, "sqlstate", None) or ""
    return bool(state) and not (state.startswith(HARMLESS_CLASSES) or state in HARMLESS_STATES)
