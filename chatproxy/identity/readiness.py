"""Whether this release can serve from the directory: is it there, with a schema that fits?"""

from collections.abc import Callable, Mapping

from chatproxy.identity.database import Database
from chatproxy.identity.lookout import Lookout
from chatproxy.identity.schema import SchemaFault, fault_of

#: Seconds without an answer after which nobody should be sent here. A failover, or a restart of the
#: server, is over sooner; and then all replicas would go at once, which helps nobody.
UNREACHABLE_AFTER = 10.0

UNREACHABLE = {"directory-unreachable": "The directory cannot be asked."}
UNFIT: Mapping[SchemaFault, Mapping[str, str]] = {
    "missing": {"schema-missing": "The directory has no schema: run `chatproxy db upgrade`."},
    "older": {
        "schema-older": "The directory's schema is older than this release needs: run "
        "`chatproxy db upgrade`."
    },
    "newer": {
        "schema-newer": "The directory's schema is of a later release. Run that one, or restore "
        "the directory from before it was upgraded."
    },
}


class Readiness:
    """What the directory is known to lack. It is asked once a second at most."""

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._schema_fault: SchemaFault | None = None
        self._lookout = Lookout(self._ask, monotonic)

    def look(self) -> None:
        """Ask anew where the last answer is old, and wait for this one, but not for long."""
        self._lookout.look()

    def reasons(self) -> Mapping[str, str]:
        """Return why no requests should come, by a code; empty where they may."""
        # An answer that does not come is as bad as one that says no.
        failing = (self._database.failing_since, self._lookout.waiting_since)
        since = min((one for one in failing if one is not None), default=None)
        away = since is not None and self._monotonic() - since >= UNREACHABLE_AFTER
        unfit = UNFIT[self._schema_fault] if self._schema_fault is not None else {}
        return {**(UNREACHABLE if away else {}), **unfit}

    def _ask(self) -> None:
        self._schema_fault = fault_of(self._database)
        self._database.ping()
