"""The directory's database: how it is reached, and how its faults are told.

SQLite runs in WAL mode, so readers never wait. A write takes the file's one write
lock at its very beginning: a transaction that reads first and writes later would be
refused at once when another wrote in between (SQLITE_BUSY_SNAPSHOT), whatever time
it were given.
"""

import contextlib
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from chatproxy.errors import CallerError, DirectoryUnavailable
from chatproxy.identity.watchdog import Watchdog

#: Seconds that a write waits for its turn, and that opening a connection may take.
BUSY_LIMIT = 2.0

#: Milliseconds that one statement, and the wait for a row, may take at a PostgreSQL server.
STATEMENT_LIMIT = 5000
ROW_LIMIT = 2000

#: Connections kept open to a PostgreSQL server, and how many more there may be for a while.
KEPT_CONNECTIONS = 5
MORE_CONNECTIONS = 15

#: Seconds that a question waits for one of them. In a burst many wait, and each for those
#: before it: that is no sign that the server is away.
QUEUE_LIMIT = 10.0

#: Seconds for which a PostgreSQL server may hold a connection without letting it go on.
SILENCE_LIMIT = 15.0

#: Seconds that SQLite itself waits where a reader meets a recovery. It holds the whole
#: worker up, so it is short; a write's wait does not go through it.
RECOVERY_LIMIT = 0.25

#: Seconds between two tries to get SQLite's write lock from another process.
SOON = (0.001, 0.010)

BUSY = "The directory is busy. Try again."
Work = Literal["read", "write", "chore"]

NO_SCHEMA = ("no such table", "UndefinedTable", "no such column", "UndefinedColumn")


class Database:
    """One database, opened on first use."""

    def __init__(self, url: str, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._turn = threading.Lock()
        self.is_sqlite = url.startswith("sqlite")
        self._watchdog = Watchdog(SILENCE_LIMIT, monotonic)
        self.engine = (
            _sqlite(url, monotonic) if self.is_sqlite else _postgresql(url, self._watchdog)
        )
        self._faults: dict[Work, str] = {}

    @property
    def fault(self) -> str:
        """What went wrong last, empty when it works; a write's until a write works again."""
        return self._faults.get("write") or self._faults.get("read") or ""

    @contextlib.contextmanager
    def reading(self, *, tries: bool = False) -> Iterator[Connection]:
        """Give a connection whose reads, on SQLite, all see the same moment.

        To who only `tries`, a failure is an answer, and no fault.
        """
        with self._told("chore" if tries else "read"), self._connected() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(
        self, *, durable: bool = True, waits: bool = True, watched: bool = True
    ) -> Iterator[Connection]:
        """Give a connection in a write transaction, which is committed at the end.

        What is `durable` outlives a power failure once this returns, all else the end
        of the process. Raises `DirectoryUnavailable` where the turn does not come in time,
        or not at once for who does not wait; to him that is no fault. What is not
        `watched` may take as long as it takes.
        """
        with (
            self._told("write" if waits else "chore"),
            self._turn_within(BUSY_LIMIT if waits else 0) as until,
            self._connected(watched=watched) as connection,
        ):
            connection = connection.execution_options(write_until=until, durable=durable)

            with connection.begin():
                yield connection

    def ping(self) -> None:
        """Raise `DirectoryUnavailable` unless the database answers and has its tables."""
        with self.reading() as connection:
            connection.execute(text("SELECT id FROM apps LIMIT 1"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _connected(self, *, watched: bool = True) -> Iterator[Connection]:
        connection = self.engine.connect()

        if self.is_sqlite or not watched:
            watch: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        else:
            driver: Any = connection.connection.dbapi_connection
            watch = self._watchdog.watching(driver.fileno())

        with watch, connection:  # watched until it is given back: that asks the server too
            yield connection

    @contextlib.contextmanager
    def _turn_within(self, patience: float) -> Iterator[float]:
        """Let one writer of this process at a time ask SQLite for its lock."""
        until = self._monotonic() + patience

        if not self.is_sqlite:
            yield until
            return

        if not self._turn.acquire(timeout=patience):
            raise DirectoryUnavailable(BUSY, detail="another write of this process takes too long")

        try:
            yield until
        finally:
            self._turn.release()

    @contextlib.contextmanager
    def _told(self, work: Work) -> Iterator[None]:
        """Turn the database's failures into ours, and remember the last one."""
        try:
            yield
        except IntegrityError:
            raise
        except (DataError, UnicodeEncodeError) as error:
            raise CallerError("a text cannot be stored", detail=_reason(error)) from error
        except (SQLAlchemyError, sqlite3.Error) as error:  # the latter from our own statements
            self._faults[work] = _reason(error)
            raise DirectoryUnavailable(detail=self._faults[work]) from error
        except DirectoryUnavailable as error:
            self._faults[work] = error.detail
            raise
        else:
            self._faults[work] = ""


def _sqlite(url: str, monotonic: Callable[[], float]) -> Engine:
    path = Path(url.removeprefix("sqlite:///"))
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_timeout=QUEUE_LIMIT,
        connect_args={"timeout": RECOVERY_LIMIT},
    )

    @event.listens_for(engine, "do_connect")
    def make_private(*_: Any) -> None:
        """Make a file that nobody else may read: it is about people.

        One that is there is not opened: closing it again would drop every lock that this
        process has on it (fcntl(2)), and another process could take the log for its own.
        """
        with contextlib.suppress(OSError):  # opening it will say what is wrong
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins no transaction of its own
        connection.execute("PRAGMA foreign_keys = ON")
        # Two that open a new file at once meet here, and SQLite would not let one wait.
        _patiently(connection, "PRAGMA journal_mode = WAL", monotonic() + BUSY_LIMIT, monotonic)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        driver: Any = connection.connection.dbapi_connection

        if "write_until" not in options:
            driver.execute("BEGIN")
            return

        driver.execute(f"PRAGMA synchronous = {'FULL' if options['durable'] else 'NORMAL'}")
        _patiently(driver, "BEGIN IMMEDIATE", options["write_until"], monotonic)

    return engine


def _patiently(
    driver: sqlite3.Connection, statement: str, until: float, monotonic: Callable[[], float]
) -> None:
    """Take a lock; wait for other processes in short sleeps, so that this worker serves on."""
    driver.execute("PRAGMA busy_timeout = 0")

    try:
        while True:
            try:
                driver.execute(statement)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise

                if monotonic() >= until:
                    raise DirectoryUnavailable(BUSY, detail="SQLITE_BUSY") from error
            else:
                return

            time.sleep(random.uniform(*SOON))  # noqa: S311 - so that two do not keep step
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(RECOVERY_LIMIT * 1000)}")


def _postgresql(url: str, watchdog: Watchdog) -> Engine:
    given = make_url(url).query.get("options", "")
    limits = f"{given} -c statement_timeout={STATEMENT_LIMIT} -c lock_timeout={ROW_LIMIT}".strip()
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,  # a connection that died meanwhile is replaced before its use
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MORE_CONNECTIONS,
        pool_timeout=QUEUE_LIMIT,
        connect_args={
            "connect_timeout": int(BUSY_LIMIT),
            "options": limits,
            "tcp_user_timeout": STATEMENT_LIMIT,
            "application_name": "chatproxy",
        },
    )
    ping = engine.dialect.do_ping

    def watched_ping(driver: Any) -> bool:
        """Ask a kept connection whether it lives; one that is silent does not."""
        with watchdog.watching(driver.fileno()):
            return ping(driver)

    engine.dialect.do_ping = watched_ping  # type: ignore[method-assign,assignment]
    return engine


def _reason(error: Exception) -> str:
    """Say what happened in the driver's words: first line only, and never a parameter."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    told = f"{type(cause).__name__}: {str(cause).partition(chr(10))[0]}"
    missing = any(sign in told for sign in NO_SCHEMA)
    return f"{told}; run `chatproxy db upgrade`" if missing else told
