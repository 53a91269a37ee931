"""Settings for a command that needs no secret: where one is missing, a placeholder stands for it.

Nothing is made or kept on the way, and no server is known.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from chatproxy.access import document
from chatproxy.errors import SettingsError
from chatproxy.settings import Providers, Settings, load, providers_on
from chatproxy.settings.directory import DirectorySettings, KeySettings
from chatproxy.settings.files import Files, reason_of
from chatproxy.settings.variables import Section, declared, is_given

NO_SERVER = "http://127.0.0.1:9"
NO_DATABASE = "sqlite:////nonexistent/placeholder.db"


def load_with_access(
    providers: Providers, path: str | None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Read the settings with the access document at a path, else with that of the environment.

    Outside of a sidecar's environment those providers are on that the document names. Raises
    `SettingsError`.
    """
    given = dict(os.environ if environ is None else environ)

    if path is not None:
        given["ACCESS_CONFIG"] = path

    if not is_given(given, "ACCESS_CONFIG"):
        raise SettingsError(["ACCESS_CONFIG: is not set. Name the document by --file."])

    names = providers_on(providers, given, [])

    if not any(map(given.get, ("PROVIDERS", *_required(providers)))):
        named = _named_in(given["ACCESS_CONFIG"])
        names = [name for name in providers if name in named] or names

    given.setdefault("PROVIDERS", ",".join(names))

    if not is_given(given, "DATABASE_URL"):
        given["DATABASE_URL"] = NO_DATABASE

    for section in (DirectorySettings, KeySettings, *(providers[name] for name in names)):
        _fill(section, given)

    return load(providers, given)


def _required(providers: Providers) -> list[str]:
    return [
        one.name
        for section in providers.values()
        for _, one in declared(section)
        if one.required or one.is_server
    ]


def _named_in(path: str) -> frozenset[str]:
    try:
        found = document.read(Files().content(Path(path)))
    except (OSError, ValueError) as error:
        reason = f"ACCESS_CONFIG: {path} cannot be read ({reason_of(error)})."
        raise SettingsError([reason]) from error

    return frozenset(name for one in found.access.callers.values() for name in one.providers)


def _fill(section: type[Section], given: dict[str, str]) -> None:
    variables = [one for _, one in declared(section)]
    missing = [one for one in variables if one.required and not is_given(given, one.name)]

    for one in missing:
        given[one.name] = f"placeholder-for-{one.name}-0123456789abcdef0123456789abcdef"

    # Nor is there a server, beside which what everybody knows would be refused.
    for one in variables:
        if missing and one.is_server and one.default is not None:
            given.setdefault(one.name, NO_SERVER)
