"""Every setting as it may be shown: its value, unless it is a secret, and where it comes from."""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

from chatproxy.formats import durations
from chatproxy.settings import Providers, Settings, look
from chatproxy.settings.directory import DirectorySettings, KeySettings
from chatproxy.settings.fields import Duration, texts_in
from chatproxy.settings.limits import LimiterSettings
from chatproxy.settings.secret_text import stripped
from chatproxy.settings.sidecar import SidecarSettings
from chatproxy.settings.variables import (
    FAULTY,
    FILE_SUFFIX,
    Section,
    Variable,
    declared,
    secrets_of,
)
from chatproxy.settings.webhooks import WebhookSettings

SHARED: Mapping[str, type[Section]] = {
    "sidecar": SidecarSettings,
    "directory": DirectorySettings,
    "keys": KeySettings,
    "limits": LimiterSettings,
    "webhooks": WebhookSettings,
}

#: Characters of the shortest secret that is looked for in the values of other variables.
LONG_ENOUGH = 6


@dataclasses.dataclass(frozen=True)
class Shown:
    """A setting. `value` is None where it has none, or may not be shown.

    `part` is the part of the sidecar, or the provider; `in_force` is False where that is off.
    `source` is `variable`, `file`, `kept`, `default`, `absent`, `missing` or `unusable`; `path` is
    that of the file.
    """

    name: str
    part: str
    in_force: bool
    secret: bool
    value: str | None
    source: str
    path: str | None = None

    @property
    def is_default(self) -> bool:
        """Whether nobody has set it."""
        return self.source == "default"


def shown(
    providers: Providers, environ: Mapping[str, str] | None = None
) -> tuple[list[Shown], list[str]]:
    """Return every setting, and every problem with them."""
    environ = os.environ if environ is None else environ
    found, problems = look(providers, environ)
    return _rows(found, providers, environ), problems


def in_force(found: Settings, providers: Providers) -> list[Shown]:
    """Return every setting of the parts that are on, as this process goes by them now."""
    # The environment of a process does not change. Files do, and what was read of them is `found`.
    return [row for row in _rows(found, providers, os.environ) if row.in_force]


def _rows(found: Any, providers: Providers, environ: Mapping[str, str]) -> list[Shown]:
    sections: Mapping[str, Any] = {
        "sidecar": found,
        "directory": found.directory,
        "keys": found.keys,
        "limits": found.limiter,
        "webhooks": found.webhooks,
        **found.provider_settings,
    }
    given = _secrets_in(environ, [*SHARED.values(), *providers.values()])
    used = (one for section in found.sections() for one in secrets_of(section))
    # What cannot be used has no text to look at.
    texts = (one for one in (*given, *used) if isinstance(one, str))
    hidden = {one for one in texts if len(one) >= LONG_ENOUGH}
    return [
        _hiding(hidden, _row(part, one, attribute, sections.get(part), environ, found.kept))
        for part, section in {**SHARED, **providers}.items()
        for attribute, one in declared(section)
    ]


def _row(
    part: str, one: Variable, attribute: str, section: Any, environ: Mapping[str, str], kept: Any
) -> Shown:
    text = stripped(environ.get(one.name, ""))
    path = stripped(environ.get(one.name + FILE_SUFFIX, "")) if one.secret else ""
    value = None if section is None else getattr(section, attribute)
    row = Shown(one.name, part, section is not None, one.secret, None, "default")

    if section is not None and value is FAULTY:
        is_absent = one.required and not (text or path)
        return dataclasses.replace(row, source="missing" if is_absent else "unusable")

    if path:
        return dataclasses.replace(row, source="file", path=path)

    if text:
        return dataclasses.replace(row, source="variable", value=None if one.secret else text)

    if one.required and one.kept and section is not None and kept is not None:
        return dataclasses.replace(row, source="kept", path=str(kept.folder / one.name))

    if one.required:
        return dataclasses.replace(row, source="absent" if section is None else "missing")

    return dataclasses.replace(row, value=_written(one, one.default))


def _written(one: Variable, value: Any) -> str | None:
    if value is None or value in ((), ""):
        return None

    if isinstance(one.field, Duration):
        return durations.written(value)

    if isinstance(value, tuple):
        return ",".join(value)

    return f"{value:g}" if isinstance(value, float) else str(value)


def _secrets_in(environ: Mapping[str, str], sections: list[type[Section]]) -> Iterator[str]:
    for section in sections:
        for _, one in declared(section):
            if one.secret:
                text = stripped(environ.get(one.name, ""))
                yield from (text, *texts_in(text))


def _hiding(secrets: set[str], row: Shown) -> Shown:
    # A secret that was put into the wrong variable, too, or into both.
    value, path = (
        None if text is None or any(secret in text for secret in secrets) else text
        for text in (row.value, row.path)
    )
    is_hidden = (value, path) != (row.value, row.path)
    return dataclasses.replace(row, value=value, path=path, secret=row.secret or is_hidden)
