"""The directory at a PostgreSQL server."""

from typing import Any

from sqlalchemy import create_engine, make_url
from sqlalchemy.engine import Engine

from chatproxy.identity import timeouts
from chatproxy.identity.watchdog import Watchdog

#: Connections kept open, and how many more there may be in a burst.
KEPT_CONNECTIONS = 5
MORE_CONNECTIONS = 15


def make_engine(url: str, watchdog: Watchdog) -> Engine:
    """Make an engine whose every wait ends: for the server, for a statement, for a row."""
    given = make_url(url).query.get("options", "")
    limits = f"-c statement_timeout={timeouts.STATEMENT_MS} -c lock_timeout={timeouts.ROW_LOCK_MS}"
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,  # a connection that died meanwhile is replaced before its use
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MORE_CONNECTIONS,
        pool_timeout=timeouts.QUEUE,
        connect_args={
            "connect_timeout": int(timeouts.BUSY),
            # Ours come last: of a setting given twice PostgreSQL takes the last.
            "options": f"{given} {limits}".strip(),
            "tcp_user_timeout": timeouts.STATEMENT_MS,
            "application_name": "chatproxy",
        },
    )
    # SQLAlchemy has no event for the ping, and without the watch it would wait for ever.
    ping = engine.dialect.do_ping

    def watched_ping(driver: Any) -> bool:
        """Ask a kept connection whether it is alive; one that is silent is not."""
        with watchdog.watching(driver.fileno()):
            return ping(driver)

    engine.dialect.do_ping = watched_ping  # type: ignore[method-assign,assignment]
    return engine
