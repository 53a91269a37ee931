"""Secrets that everybody knows: those of the compose file and of the stand-ins."""

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from chatproxy.formats.authority import is_loopback
from chatproxy.settings.variables import FaultyValue, ProviderSection, Section, declared

#: The service of the compose file in which the stand-in runs.
STAND_IN_HOST = "sandbox"

#: A URL's password. `urlsplit` refuses some of those that a secret may have, such as one with `[`.
PASSWORD = re.compile(r"://[^/?#:]*:([^/?#]*)@")

#: Of docker-compose.yml: PostgreSQL's password, and what no one provider uses. A provider's
#: settings class lists its own.
SHARED = frozenset(
    {"not-for-production", "key-signing-secret-of-the-compose-file-not-for-production"}
)


def problems(section: Section, published: frozenset[str], real_server: str | None) -> Iterator[str]:
    """Yield a line for each variable with such a secret, if a variable names a real server."""
    for name in _with_one_of(published, section) if real_server else ():
        yield (
            f"{name}: holds a sample secret, which everybody knows, and {real_server} is a real "
            "server. Make your own."
        )


def real_server(section: ProviderSection) -> str | None:
    """Return the variable that names a real server of a provider, None if there is none."""
    with contextlib.suppress(FaultyValue):
        return next((name for name, url in section.servers() if not is_local(url)), None)

    return None


def is_local(url: str) -> bool:
    """Say whether a stand-in may be at a URL: on this machine, or in the compose file's service."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host == STAND_IN_HOST or is_loopback(host)


def _with_one_of(published: frozenset[str], section: Section) -> Iterator[str]:
    for attribute, one in declared(type(section)):
        value = getattr(section, attribute)
        texts = value if isinstance(value, tuple) else (value,)

        if one.secret and any(
            text in published or _password_in(text) in published
            for text in texts
            if isinstance(text, str)
        ):
            yield one.name


def _password_in(text: str) -> str | None:
    found = PASSWORD.search(text)
    return found and found[1]
