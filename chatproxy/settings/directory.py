"""The settings of the directory."""

import dataclasses
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from chatproxy.settings import postgresql_url
from chatproxy.settings.fields import SigningSecrets, Text
from chatproxy.settings.private_files import UntrustedFile, check_database
from chatproxy.settings.variables import Section, variable

SQLITE = "sqlite:///"
EXPECTED = (
    "sqlite:/// and the path of a file, or a postgresql:// URL with a database, as libpq documents "
    "it: what is special in a password must be percent-encoded"
)


def _is_database_url(text: str) -> bool:
    if text.startswith(SQLITE):
        path = text.removeprefix(SQLITE)
        # In memory, each worker would have a directory of its own.
        return bool(path) and not re.search(r"[?#]|:memory:", path)

    return postgresql_url.is_url(text)


@dataclasses.dataclass(frozen=True)
class DirectorySettings(Section):
    """The settings of the directory."""

    database_url: str = variable(
        "DATABASE_URL",
        Text(_is_database_url, EXPECTED),
        default="sqlite:///var/chatproxy.db",
        meaning="Where apps, API keys and users are kept. Three slashes: a path from the "
        "working directory; four: from the root. Or a `postgresql://` URL with libpq's parameters "
        "and any number of hosts.",
        secret=True,
    )

    @property
    def sqlite_path(self) -> Path | None:
        """The database's file, None if it is a server."""
        url = self.database_url
        return Path(url.removeprefix(SQLITE)).absolute() if url.startswith(SQLITE) else None

    @property
    def url(self) -> str:
        """The URL for SQLAlchemy, which wants the driver named."""
        if self.sqlite_path is not None:
            return f"{SQLITE}{self.sqlite_path}"

        return "postgresql+psycopg://" + self.database_url.partition("://")[2]

    def problems(self) -> Iterator[str]:
        """Refuse a file that others could have written; of PostgreSQL what cannot be used."""
        if self.sqlite_path is not None:
            try:
                check_database(self.sqlite_path)
            except UntrustedFile as error:
                yield f"DATABASE_URL: {error.strerror}."

            return

        yield from postgresql_url.faults("DATABASE_URL", self.database_url)

        # Found, not imported: this runs in the master process, before gevent has patched.
        if importlib.util.find_spec("psycopg") is None:
            yield (
                "DATABASE_URL: needs the extra `postgresql`: pip install 'chatproxy[postgresql]'."
            )


@dataclasses.dataclass(frozen=True)
class KeySettings(Section):
    """The settings of API keys."""

    signing_secrets: tuple[str, ...] = variable(
        "KEY_SIGNING_SECRET",
        SigningSecrets(),
        meaning="Signs API keys, so that a forged one costs no look-up. A comma list while it "
        "is rotated: the first signs, all verify. Replicas share it.",
        secret=True,
        kept=True,
    )
