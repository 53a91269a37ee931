"""Badges: for each client a count by source, and their sum."""

from chatproxy.identity.engine import Database


class Badges:
    """The badges of the directory."""

    def __init__(self, database: Database) -> None:
        self._database = database
