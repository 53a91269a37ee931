"""The directory in a SQLite file.

The file is in WAL mode, so readers never wait (https://sqlite.org/wal.html). A write
takes the one write lock at its very beginning: a transaction that reads first and
writes later is refused at once when another wrote in between, however long it would
have waited (SQLITE_BUSY_SNAPSHOT, https://sqlite.org/rescode.html#busy_snapshot).
"""

import contextlib
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity import timeouts
from chatproxy.identity.transactions import (
    BEGINNING,
    USED,
    Beginning,
    replace_begin,
    throw_away_after,
)
from chatproxy.settings.private_files import UntrustedFile, check_database, make_file

BUSY = "The directory is busy. Try again."

#: Primary result codes after which a connection goes. One that was opened while the file could not
#: be written stays read-only; the other three say that what is open is no longer the database.
FATAL = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
)

#: Steps of SQLite's virtual machine, about a millisecond, after which other requests get their
#: turn. A search of 100,000 users takes a million of them.
STEPS = 20_000

#: Under this name a connection's `info` holds which file it opened.
OPENED = "chatproxy_file"


def make_engine(url: str, monotonic: Callable[[], float]) -> Engine:
    """Make an engine that opens the file, and makes it where it is missing, on first use."""
    path = Path(url.removeprefix("sqlite:///"))
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_timeout=timeouts.QUEUE,
        connect_args={"timeout": timeouts.RECOVERY},
    )

    @event.listens_for(engine, "do_connect")
    def make_file(_dialect: Any, record: Any, *_: Any) -> None:
        _make_private(path)
        _check_trust(path)
        # Before it is opened: of one that is replaced meanwhile this is the old one, and shows.
        record.info[OPENED] = _identity(path)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # or the driver would begin transactions of its own
        connection.execute("PRAGMA foreign_keys = ON")
        connection.set_progress_handler(_let_others_run, STEPS)
        # Changing the mode takes an exclusive lock, and SQLite does not call its busy handler
        # for that: of two workers that open a new file together, one would fail.
        deadline = monotonic() + timeouts.BUSY
        _take_lock(connection, "PRAGMA journal_mode = WAL", deadline, monotonic)

    def begin(connection: Any) -> None:
        # Moved away, deleted or replaced by a copy: what is written to it now would be lost.
        if connection.info[OPENED] != _identity(path):
            raise _moved()

        connection.info[USED] = True
        _begin(connection.dbapi_connection, connection.info[BEGINNING], monotonic)

    replace_begin(engine, begin)
    throw_away_after(engine, _is_fatal)
    return engine


def _check_trust(path: Path) -> None:
    # At the start it was looked at as well. One that was put in its place since may be anybody's.
    try:
        check_database(path)
    except UntrustedFile as error:
        raise DirectoryUnavailable(detail=str(error.strerror)) from error


def _let_others_run() -> None:
    # SQLite calls this from within a statement, and there gevent may switch: a connection serves
    # one request until that gives it back, readers hold nobody up, and writers of this process
    # wait in Python. None tells SQLite to go on.
    time.sleep(0)


def _make_private(path: Path) -> None:
    """Make a file that nobody else may read: it is about people.

    One that exists is not opened here: closing it again would drop every lock that this
    process has on it (fcntl(2)), and another process could then take the write-ahead log
    for its own.
    """
    with contextlib.suppress(OSError):  # SQLite will say what is wrong
        make_file(path)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None

    return found.st_dev, found.st_ino


def _moved() -> sqlite3.OperationalError:
    # SQLite has the code, and looks for it only where it writes a rollback journal.
    error = sqlite3.OperationalError("the database's file was moved or replaced")
    error.sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED
    return error


def _is_fatal(error: BaseException) -> bool:
    # The low byte is the primary code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in FATAL


def _begin(
    driver: sqlite3.Connection, beginning: Beginning, monotonic: Callable[[], float]
) -> None:
    if not beginning.writes:
        driver.execute("BEGIN")
        return

    # In WAL mode NORMAL loses nothing when the process dies, only when the power does
    # (https://sqlite.org/pragma.html#pragma_synchronous). The pragma stays with the connection,
    # so each write sets it.
    driver.execute(f"PRAGMA synchronous = {'FULL' if beginning.durable else 'NORMAL'}")
    _take_lock(driver, "BEGIN IMMEDIATE", beginning.deadline, monotonic)


def _take_lock(
    driver: sqlite3.Connection, statement: str, deadline: float, monotonic: Callable[[], float]
) -> None:
    """Run a statement that needs a lock, again and again while another process holds it.

    SQLite's own busy handler would sleep in C, where gevent cannot switch to another
    request; `time.sleep` lets the worker serve on.
    """
    driver.execute("PRAGMA busy_timeout = 0")

    try:
        while True:
            try:
                driver.execute(statement)
            except sqlite3.OperationalError as error:
                # The low byte is the primary code: SQLITE_BUSY has several extended ones.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise

                if monotonic() >= deadline:
                    raise DirectoryUnavailable(BUSY, detail="SQLITE_BUSY") from error
            else:
                return

            # At random, so that two processes do not keep step.
            time.sleep(random.uniform(*timeouts.LOCK_RETRY))  # noqa: S311
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(timeouts.RECOVERY * 1000)}")
