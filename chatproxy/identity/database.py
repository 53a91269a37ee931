"""The directory's database: how it is read and written, and how its failures are told.

What differs between the two kinds of database and is not SQL is in `sqlite` and
`postgresql`; how long anything may take is in `timeouts`.
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from sqlalchemy import Connection, Row, Select, Table, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from chatproxy.errors import CallerError, DirectoryUnavailable, IdentityError
from chatproxy.identity import encodings, postgresql, sqlite, timeouts
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.identity.transactions import BEGINNING, READ_ONLY, USED, Beginning
from chatproxy.identity.watchdog import Watchdog
from chatproxy.metrics.table import DIRECTORY_FAULTS

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql as postgresql_dialect
    from sqlalchemy.dialects import sqlite as sqlite_dialect

    Insert = postgresql_dialect.Insert | sqlite_dialect.Insert

log = logging.getLogger(__name__)

AnyRow = Row[*tuple[Any, ...]]
Work = Literal["read", "write", "optional", "read-only"]

#: Connections that a question tries: a kept one, one that another has opened meanwhile, a new one.
TRIES = 3

#: What a check-up writes again as it was: whoever may not, or cannot, change a row shows here.
WRITTEN_AGAIN = "UPDATE apps SET name = name WHERE id = :app"

MISSING_SCHEMA = ("no such table", "UndefinedTable", "no such column", "UndefinedColumn")


class Database:
    """One database, opened on first use."""

    def __init__(self, url: str, monotonic: Callable[[], float]) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self._url = url
        self._monotonic = monotonic
        self._turn = threading.Lock()
        self._watchdog = Watchdog(timeouts.SILENCE, monotonic)
        self.engine = (
            sqlite.make_engine(url, monotonic)
            if self.is_sqlite
            else postgresql.make_engine(lambda: self._url, monotonic, self._learn_encoding)
        )
        self._insert = _insert_for(is_sqlite=self.is_sqlite)
        # PostgreSQL's name of it, from the first connection on.
        self.encoding = encodings.BEST
        # Kept apart: reads that work while the disk is full must not hide that writes fail.
        self._faults: dict[Work, str] = {}
        #: When the first read began that could not be done, if none was done since.
        self.failing_since: float | None = None

        for work in get_args(Work):
            DIRECTORY_FAULTS.add(work, by=0)

    def connect_by(self, url: str) -> None:
        """Open further connections by another URL of the same kind."""
        before, self._url = self._url, url

        # Those that are open may be to another server, or of a user who is soon dropped. One in use
        # goes when it is given back.
        if before != url:
            self.engine.dispose()

    @property
    def fault(self) -> str:
        """What went wrong last. Empty once it works again, which for a write takes a write.

        That a server takes no writes any more, or does again, shows by a read, too.
        """
        order: tuple[Work, ...] = ("read-only", "write", "read")
        return next((fault for work in order if (fault := self._faults.get(work))), "")

    @property
    def advice(self) -> str:
        """What an operator should know of how the database was made; empty where all is well."""
        return encodings.advice(self.encoding)

    @contextlib.contextmanager
    def reading(self, *, optional: bool = False, watched: bool = True) -> Iterator[Connection]:
        """Give a connection whose reads, on SQLite, all see the same moment.

        The failure of an `optional` read is not shown as a fault of the directory: the
        caller does without the answer. One that is not `watched` may take any time.
        """
        work: Work = "optional" if optional else "read"
        beginning = Beginning(writes=False)

        with (
            self._errors_translated(work),
            self._begun(beginning, watched=watched) as connection,
        ):
            yield connection

    @contextlib.contextmanager
    def writing(
        self,
        *,
        durable: bool = True,
        waits: bool = True,
        watched: bool = True,
        refusal: str | None = None,
    ) -> Iterator[Connection]:
        """Give a connection in a write transaction, which is committed at the end.

        A `durable` write survives a power failure, any other only the end of the process.
        Raises `DirectoryUnavailable` when the lock is not free in time: at once for a write
        that does not wait, and then it is not shown as a fault. One that is not `watched`
        may take any time. `refusal` is the message of the `IdentityError` into which the
        violation of a key or a foreign key is turned.
        """
        with (
            self._errors_translated("write" if waits else "optional", refusal),
            self._turn_within(timeouts.BUSY if waits else 0) as deadline,
            self._begun(Beginning(True, deadline, durable), watched=watched) as connection,
        ):
            yield connection
            connection.commit()

    # A selection that is asked often is made once, with a name in place of each value: making one,
    # and finding what SQLAlchemy compiled for its like, takes longer than SQLite takes to answer.

    def row(self, wanted: Select[Any], **values: Any) -> AnyRow | None:
        """Read the first row of a selection, with these values for its names."""
        with self.reading() as connection:
            return connection.execute(wanted, values).first()

    def rows(self, wanted: Select[Any], **values: Any) -> Sequence[AnyRow]:
        """Read all rows of a selection, with these values for its names."""
        with self.reading() as connection:
            return connection.execute(wanted, values).all()

    def insert(self, table: Table) -> "Insert":
        """Return an INSERT with ON CONFLICT: both databases spell it alike, SQLAlchemy does not."""
        return self._insert(table)

    def can_hold(self, character: str) -> bool:
        """Say whether the database's encoding has a character; False where that is not known."""
        return self.is_sqlite or encodings.can_hold(self.encoding, character)

    def ping(self) -> None:
        """Raise `DirectoryUnavailable` unless the database has its tables and takes writes."""
        with self.writing(durable=False) as connection:
            connection.execute(text(WRITTEN_AGAIN), {"app": DEFAULT_APP})

    def close(self) -> None:
        """Close all connections; the next question opens new ones."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _begun(self, beginning: Beginning, *, watched: bool = True) -> Iterator[Connection]:
        """Give a connection in a transaction, which is rolled back unless it was committed.

        A kept connection may have died, or be one that is of no more use: it is replaced, and
        nobody notices.
        """
        for left in reversed(range(TRIES)):
            connection = self.engine.connect()
            is_new = USED not in connection.info

            # The watch is outermost: giving a connection back asks the server for a rollback.
            with self._watched(connection, watched), connection:
                connection.info[BEGINNING] = beginning

                try:
                    connection.begin()
                except DBAPIError as error:
                    anew = not is_new or postgresql.is_of_a_pooler(error.orig)

                    if not (left and anew and error.connection_invalidated):
                        raise
                else:
                    self._note(connection)

                    with self._closed_after_a_change(connection):
                        yield connection

                    return

    @contextlib.contextmanager
    def _closed_after_a_change(self, connection: Connection) -> Iterator[None]:
        url = self._url

        try:
            yield
        finally:
            # It would go back to a pool that is no longer used, and stay open there.
            if url != self._url:
                connection.invalidate()

    def _watched(
        self, connection: Connection, watched: bool
    ) -> contextlib.AbstractContextManager[None]:
        driver: Any = connection.connection.dbapi_connection

        if self.is_sqlite or not watched or driver.closed:
            return contextlib.nullcontext()

        return self._watchdog.watching(driver.fileno())

    def _learn_encoding(self, encoding: str) -> None:
        if encoding != self.encoding:
            self.encoding = encoding
            log.warning("%s", self.advice)

    def _note(self, connection: Connection) -> None:
        read_only = connection.info.get(READ_ONLY, False)
        self._faults["read-only"] = postgresql.TAKES_NO_WRITES if read_only else ""

    @contextlib.contextmanager
    def _turn_within(self, seconds: float) -> Iterator[float]:
        """Wait for the other writers of this process; give the deadline for SQLite's lock.

        Without this, every waiting thread would poll the file against the others. Waiting
        here uses up the same deadline. PostgreSQL has locks of its own.
        """
        deadline = self._monotonic() + seconds

        if not self.is_sqlite:
            yield deadline
            return

        if not self._turn.acquire(timeout=seconds):
            raise DirectoryUnavailable(
                sqlite.BUSY, detail="another write of this process takes too long"
            )

        try:
            yield deadline
        finally:
            self._turn.release()

    @contextlib.contextmanager
    def _errors_translated(self, work: Work, refusal: str | None = None) -> Iterator[None]:
        began = self._monotonic()

        try:
            yield
        except IntegrityError as error:
            # Not a fault of the database: the app is missing, or the row is there already.
            if refusal is None:
                raise

            raise IdentityError(refusal) from error
        except (DataError, UnicodeEncodeError) as error:
            state = str(getattr(getattr(error, "orig", None), "sqlstate", ""))

            # Of what a caller sends the driver made UTF-8: this was read.
            if state == postgresql.NO_TEXT_STATE:
                raise self._unavailable(work, _reason(error)) from error

            # Half a surrogate pair, a NUL or a text that is too long. SQLite takes the last two.
            message = f"a text cannot be stored{postgresql.TEXT_FAULTS.get(state, '')}"
            raise CallerError(message, detail=_reason(error)) from error
        except (SQLAlchemyError, sqlite3.Error) as error:  # the latter from our own statements
            cause = error.orig if isinstance(error, DBAPIError) else None
            kind: Work = "read-only" if postgresql.is_read_only(cause) else work
            unavailable = self._unavailable(kind, _reason(error))
            self._note_failure(kind, began)
            raise unavailable from error
        except DirectoryUnavailable as error:
            self._unavailable(work, error.detail)
            self._note_failure(work, began)  # such as a file that others could have written
            raise
        else:
            self._faults[work] = ""
            self.failing_since = None

    def _unavailable(self, work: Work, reason: str) -> DirectoryUnavailable:
        self._faults[work] = reason
        DIRECTORY_FAULTS.add(work)
        return DirectoryUnavailable(detail=reason)

    def _note_failure(self, work: Work, began: float) -> None:
        # Who reads has reached it: one without its schema, too, or one that takes no writes.
        if work == "read" and self.failing_since is None and not lacks_schema(self._faults[work]):
            self.failing_since = began


def _insert_for(*, is_sqlite: bool) -> "Callable[[Table], Insert]":
    # Imported here: PostgreSQL's dialect takes 3 MB, and only one of the two is used.
    if is_sqlite:
        from sqlalchemy.dialects import sqlite as sqlite_dialect

        return sqlite_dialect.insert

    from sqlalchemy.dialects import postgresql as postgresql_dialect

    return postgresql_dialect.insert


def lacks_schema(reason: str) -> bool:
    """Say whether a table or a column was missing."""
    return any(sign in reason for sign in MISSING_SCHEMA)


def _reason(error: Exception) -> str:
    """Say what happened in the driver's words: its first line, as others may hold parameters."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    reason = f"{type(cause).__name__}: {str(cause).partition(chr(10))[0]}"

    if lacks_schema(reason):
        return f"{reason}; run `chatproxy db upgrade`"

    return f"{reason}; {encodings.MEND}" if "conversion between UTF8" in reason else reason
