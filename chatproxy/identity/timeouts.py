"""How long anything about the database may take."""

#: Seconds that a write waits for its turn, and that opening a connection may take.
BUSY = 2.0

#: Seconds that a question waits for a pooled connection. In a burst many wait, and each
#: for those before it: that is no sign that the server is away.
QUEUE = 10.0

#: Seconds that SQLite itself waits where a reader meets a recovery. Its busy handler sleeps
#: in C and holds up every greenlet of the worker, so it is short; writes do not use it.
RECOVERY = 0.25

#: Seconds between two tries to get SQLite's write lock from another process.
LOCK_RETRY = (0.001, 0.010)

#: Milliseconds for one statement, and for the wait for a row, at a PostgreSQL server.
STATEMENT_MS = 5000
ROW_LOCK_MS = 2000

#: Seconds for which a PostgreSQL server may hold a connection without any progress. Longer
#: than a statement may take: where the server still works, its own limit comes first.
SILENCE = 15.0
