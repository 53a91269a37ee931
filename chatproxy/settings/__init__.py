"""All settings, and the only place that reads the environment.

| file | what |
|---|---|
| `variables` | how a setting is declared and read |
| `fields` | the marshmallow fields that check a variable's text |
| `sidecar`, `directory`, `limits` | the settings of each part; a provider has its own |
| `listeners` | where the sidecar listens, and which door each listener is |
| `files` | what was read from the files that settings name |
| `watch`, `board` | taking over files that change, and telling it to every worker |
| `local_secrets` | secrets that a local run generates and keeps |
| `private_files` | files of our own that others could not have written |
| `secret_text` | what is taken off a secret's text, and what no secret has |
| `published` | secrets that everybody knows, refused beside a real server |
| `slips` | variables that nobody reads, because of a slip in the name |
| `terminal` | whether the user wants colours |
| `tracing` | whether spans are sent |
| `webhooks` | where received webhooks go, and what is remembered of them |
"""

import dataclasses
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from chatproxy.access import document
from chatproxy.access.rules import Access
from chatproxy.errors import SettingsError
from chatproxy.formats.authority import is_loopback
from chatproxy.settings import published, tracing
from chatproxy.settings.directory import DirectorySettings, KeySettings
from chatproxy.settings.fields import texts_in
from chatproxy.settings.files import Files, MountedFile
from chatproxy.settings.limits import LimiterSettings
from chatproxy.settings.listeners import Listener, clashes, doorless, listeners
from chatproxy.settings.local_secrets import LocalSecrets
from chatproxy.settings.secret_text import stripped
from chatproxy.settings.sidecar import SidecarSettings
from chatproxy.settings.slips import is_slip, slips
from chatproxy.settings.terminal import wants_colours
from chatproxy.settings.tracing import TracingSettings, read_tracing
from chatproxy.settings.variables import (
    FAULTY,
    FILE_SUFFIX,
    FaultyValue,
    ProviderSection,
    Section,
    accepting,
    declared,
    is_given,
    lists_of,
    problems_of,
    read,
    secrets_of,
)
from chatproxy.settings.webhooks import WebhookSettings

Providers = Mapping[str, type[ProviderSection]]

#: Settings of earlier releases, and what to tell an operator who still sets one. It is a warning:
#: an upgrade must not keep the sidecar from starting.
REMOVED = {
    "WORKER_CLASS": "there is one kind of worker now, gevent's. WORKER_CONNECTIONS is how many "
    "connections it holds",
}


#: Endpoints that belong to no provider, and need a key where they share the services' port.
OWN_ENDPOINTS = (
    "GET /-/check-up",
    "GET /-/console",
    "GET /-/metrics",
    "GET /documentation",
    "GET /documentation/json",
    "GET /documentation/<name>",
    "POST /v1/tokens",
    "DELETE /v1/users/<user_id>/tokens",
    "GET /v1/users/<user_id>",
)


@dataclasses.dataclass(frozen=True)
class Settings(SidecarSettings):
    """The sidecar's own settings, and a section for each part and provider."""

    provider_settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    directory: DirectorySettings | None = None
    keys: KeySettings | None = None
    limiter: LimiterSettings | None = None
    webhooks: WebhookSettings | None = None
    access: Access | None = None
    kept: LocalSecrets | None = None
    removed: tuple[str, ...] = ()
    slips: tuple[tuple[str, str], ...] = ()
    coloured: bool | None = None
    tracing: TracingSettings = TracingSettings()

    def sections(self) -> Iterator[Section]:
        """Yield every section that is in force."""
        shared = (self.directory, self.keys, self.limiter, self.webhooks)
        yield from (self, *(one for one in shared if one is not None))
        yield from self.provider_settings.values()

    def listeners(self) -> tuple[Listener, ...]:
        """Return where the sidecar listens, the service's listener first."""
        return listeners(self, self.provider_settings)

    def secrets(self) -> Iterator[str]:
        """Yield every secret, for redaction."""
        for section in self.sections():
            yield from secrets_of(section)

        yield from self.proxy_passwords()
        yield from self.tracing.secrets

    def lists(self) -> dict[str, tuple[str, ...]]:
        """Return each variable's list of secrets, of which the first signs, all verify."""
        return dict(pair for section in self.sections() for pair in lists_of(section))

    def accepting(self, further: Mapping[str, Collection[str]]) -> "Settings":
        """Return these settings with further secrets that verify and do not sign, by variable."""
        return dataclasses.replace(
            self,
            keys=None if self.keys is None else accepting(self.keys, further),
            provider_settings={
                name: accepting(section, further)
                for name, section in self.provider_settings.items()
            },
        )

    def warnings(self) -> Iterator[str]:
        """Yield what the operator should know at the start."""
        yield from super().warnings()

        for name in self.removed:
            yield f"{name} is set and has no effect any more: {REMOVED[name]}"

        for name, meant in self.slips:
            yield f"{name} is set and nobody reads it: is it meant to be {meant}?"

        if self.tracing.warning:
            yield self.tracing.warning

        if self.kept is not None and self.kept.used:
            yield (
                f"{', '.join(self.kept.used)} not set: made here, and kept in {self.kept.folder} "
                "for the next start. Beyond a local run set them"
            )

        if self._counts_apart:
            yield (
                f"WORKERS is {self.workers} and REDIS_URL is not set: each worker counts for "
                f"itself, so the limits are up to {self.workers} times as high"
            )

        for warning in () if self.access is None else document.warnings(self.access):
            yield f"ACCESS_CONFIG: {warning}"

        if self.webhooks is not None:
            yield from self.webhooks.warnings()

        for section in self.provider_settings.values():
            yield from section.warnings()
            yield from self._loopback_behind_proxy(section)

    @property
    def _counts_apart(self) -> bool:
        # Webhooks alone count nothing.
        limits = self.limiter if self.directory is not None or self.access is not None else None
        return limits is not None and limits.counts_in_each_worker and self.workers > 1

    def _loopback_behind_proxy(self, section: ProviderSection) -> Iterator[str]:
        for name, url in section.servers():
            host = urlsplit(url).hostname or ""

            if is_loopback(host) and self.proxy_to(host) is not None:
                yield (
                    f"{name} is on loopback, which through UPSTREAM_PROXY is that of the proxy's "
                    f"machine: to reach the one here, list {host} in UPSTREAM_PROXY_EXCEPT"
                )


def load(
    providers: Providers, environ: Mapping[str, str] | None = None, files: Files | None = None
) -> Settings:
    """Read all settings; raise `SettingsError` with every problem at once.

    `providers` maps the name of each provider to its settings class. `files` keeps what was read.
    """
    problems: list[str] = []
    found = _load(providers, environ, files or Files(), problems)

    if problems:
        raise SettingsError(problems)

    return found


def look(
    providers: Providers, environ: Mapping[str, str] | None = None
) -> tuple[Settings, list[str]]:
    """Read all settings as `load` does, but make no secret; return every problem beside them.

    What has a problem is `FAULTY`, see `is_sound`.
    """
    problems: list[str] = []
    return _load(providers, environ, Files(), problems, makes=False), problems


def _load(
    providers: Providers,
    environ: Mapping[str, str] | None,
    files: Files,
    problems: list[str],
    *,
    makes: bool = True,
) -> Settings:
    environ = os.environ if environ is None else environ
    own = read(SidecarSettings, environ, problems, files=files)
    names = providers_on(providers, environ, problems)
    shared: dict[str, Any] = {}
    kept = None

    # Providers without users need no directory: then nothing of it is read, made or required.
    if any(providers[name].knows_users for name in names):
        kept, shared = _read_directory(own, environ, problems, files, makes=makes)

    receives = is_given(environ, "WEBHOOK_TARGET")

    # Callers of the document have limits, and bad keys are counted. Webhooks share its Redis.
    if shared or receives or is_given(environ, "ACCESS_CONFIG"):
        shared["limiter"] = read(LimiterSettings, environ, problems, files=files)

    if receives:
        shared["webhooks"] = read(WebhookSettings, environ, problems, files=files)

    sections = {name: read(providers[name], environ, problems, kept, files) for name in names}

    real_servers = {name: published.real_server(one) for name, one in sections.items()}
    any_real = next(filter(None, real_servers.values()), None)

    known = published.SHARED.union(*(one.published for one in providers.values()))

    for section in (own, *shared.values()):
        problems.extend((*problems_of(section), *published.problems(section, known, any_real)))

    for name, section in sections.items():
        # A provider that looks at this itself says it better.
        found = [*problems_of(section)] or published.problems(section, known, real_servers[name])
        problems.extend(found)

    problems.extend(_reused_secrets([*shared.values(), *sections.values()]))
    problems.extend(clashes(listeners(own, sections)))
    problems.extend(doorless(own, sections))
    access = _access(own, providers, names, any_real, problems)
    return Settings(
        **vars(own),
        provider_settings=sections,
        access=access,
        kept=kept,
        removed=tuple(name for name in REMOVED if is_given(environ, name)),
        slips=tuple(slips(environ, _known_names(providers))),
        coloured=wants_colours(environ),
        tracing=read_tracing(environ),
        **shared,
    )


def load_for_commands(
    environ: Mapping[str, str] | None = None,
    providers: Providers | None = None,
    documents: Mapping[str, str | None] | None = None,
) -> Settings:
    """Read what a command needs: the directory, how its keys are signed, and these providers.

    Where none of the providers knows users the directory is left out. Of documents those are read
    that `documents` names, each at its path there, else at that of the environment.
    """
    documents = documents or {}
    named = {name: path for name, path in documents.items() if path is not None}
    environ = {**(os.environ if environ is None else environ), **named}
    providers = providers or {}
    problems: list[str] = []
    files = Files()
    # Without documents: a command may run where those of the sidecar are not mounted.
    left_out = _documents(providers) - documents.keys()
    without = {name: text for name, text in environ.items() if name not in left_out}
    own = read(SidecarSettings, without, problems, files=files)
    kept, shared = None, dict[str, Any]()

    if not providers or any(one.knows_users for one in providers.values()):
        kept, shared = _read_directory(own, environ, problems, files)

    sections = {
        name: read(section, without, problems, kept, files) for name, section in providers.items()
    }

    for section in (*shared.values(), *sections.values()):
        problems.extend(problems_of(section))

    if problems:
        raise SettingsError(problems)

    return Settings(**vars(own), kept=kept, provider_settings=sections, **shared)


def _documents(providers: Providers) -> set[str]:
    sections: list[type[Section]] = [SidecarSettings, *providers.values()]
    return {
        one.name for section in sections for _, one in declared(section) if one.check is not None
    }


def load_database(environ: Mapping[str, str] | None = None) -> DirectorySettings:
    """Read where the directory's database is, and nothing else; raise `SettingsError`."""
    problems: list[str] = []
    found = read(DirectorySettings, os.environ if environ is None else environ, problems)
    problems.extend(problems_of(found))

    if problems:
        raise SettingsError(problems)

    return found


def _read_directory(
    own: SidecarSettings,
    environ: Mapping[str, str],
    problems: list[str],
    files: Files,
    *,
    makes: bool = True,
) -> tuple[LocalSecrets | None, dict[str, Any]]:
    directory = read(DirectorySettings, environ, problems, files=files)
    kept = _local_secrets(own, directory, makes=makes)
    keys = read(KeySettings, environ, problems, kept, files)
    return kept, {"directory": directory, "keys": keys}


def _access(
    own: SidecarSettings,
    providers: Providers,
    names: Sequence[str],
    real_server: str | None,
    problems: list[str],
) -> Access | None:
    mounted = own.access_config

    if not isinstance(mounted, MountedFile):  # absent, or faulty and told
        return None

    found = document.read(mounted.content)
    endpoints = {name: one.endpoints for name, one in providers.items()} | {"": OWN_ENDPOINTS}
    faults = [*found.mismatches(list(providers), names, endpoints)]

    if real_server is not None:
        faults += [
            f"{one}, which everybody knows, and {real_server} is a real server: make your own by "
            "`chatproxy access key`"
            for one in found.published_keys()
        ]

    problems.extend(f"ACCESS_CONFIG: {mounted.path} cannot be used: {one}." for one in faults)
    return found.access


def providers_on(
    providers: Providers, environ: Mapping[str, str], problems: list[str]
) -> list[str]:
    """Return the names of the providers that are on; append what is wrong with them."""
    # In the registry's order: that of PROVIDERS must change neither routes nor logs.
    named = [name for name in texts_in(stripped(environ.get("PROVIDERS", ""))) if name]

    if not named:
        return [
            name
            for name, section in providers.items()
            if section.on_by_default or any(is_given(environ, one) for one in _names_of(section))
        ]

    if unknown := [name for name in named if name not in providers]:
        problems.append(
            f"PROVIDERS: {', '.join(unknown)} is not known. The providers are "
            f"{', '.join(providers)}."
        )

    # With the one that a slip hides: what is wrong with its settings is told in the same go.
    meant = named + [name for name in providers for one in unknown if is_slip(one.lower(), name)]
    return [name for name in providers if name in meant]


def _known_names(providers: Providers) -> Iterator[str]:
    shared = (SidecarSettings, DirectorySettings, KeySettings, LimiterSettings, WebhookSettings)
    yield from tracing.NAMES

    for name in chain(*map(_names_of, (*shared, *providers.values())), REMOVED):
        yield name
        yield name + FILE_SUFFIX


def _names_of(section: type[Section]) -> Iterator[str]:
    return (one.name for _, one in declared(section))


def _local_secrets(
    own: SidecarSettings, directory: DirectorySettings, *, makes: bool
) -> LocalSecrets | None:
    # Only for a sidecar with a SQLite file and loopback addresses. Replicas, or callers from
    # elsewhere, mean a deployment: generated there, a secret would differ in each instance.
    try:
        path = directory.sqlite_path if own.is_local else None
    except FaultyValue:
        return FAULTY  # type: ignore[no-any-return]

    folder = None if path is None else path.with_name(f"{path.name}.secrets")
    return None if folder is None else LocalSecrets(folder, makes=makes)


def _reused_secrets(sections: Sequence[Section]) -> Iterator[str]:
    # Key separation: with one secret for two purposes, what is signed for one passes for the other.
    signs: dict[str, str] = {}

    for section in sections:
        for name, secrets in lists_of(section):
            for secret in secrets:
                if signs.setdefault(secret, name) != name:
                    yield (
                        f"{name}: a secret of it is also in {signs[secret]}, so what is signed "
                        "with one would pass for the other. Choose another one."
                    )
