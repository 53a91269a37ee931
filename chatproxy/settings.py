"""All settings together, and the one place that reads the environment.

Each part declares its own; `load` reads those of every part that is on, so that all
problems are reported at once.
"""

import dataclasses
import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chatproxy import clientconfig, providers
from chatproxy.errors import SettingsError
from chatproxy.identity.settings import DirectorySettings, KeySettings
from chatproxy.keptsecrets import KeptSecrets
from chatproxy.limiting.settings import LimiterSettings
from chatproxy.ownsettings import OwnSettings
from chatproxy.variables import declared, is_given, read, secrets_of

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclasses.dataclass(frozen=True)
class Settings(OwnSettings):
    """What the environment says: the sidecar's own settings, and a section for each part."""

    provider_settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    directory: DirectorySettings | None = None
    keys: KeySettings | None = None
    limiter: LimiterSettings | None = None
    kept: KeptSecrets | None = None

    def sections(self) -> Iterator[Any]:
        """Yield every settings object that is in force."""
        shared = (self.directory, self.keys, self.limiter)
        yield from (self, *(one for one in shared if one is not None))
        yield from self.provider_settings.values()

    def secrets(self) -> Iterator[str]:
        """Yield every secret text, for redaction."""
        for section in self.sections():
            yield from secrets_of(section)

    def warnings(self) -> Iterator[str]:
        """Yield what the operator should know at the start."""
        if self.bind_host not in LOOPBACK:
            yield (
                f"BIND_HOST is {self.bind_host}, beyond loopback: "
                "whoever reaches this port is an administrator of the chat"
            )

        if self.permissions_config is not None:
            yield "PERMISSIONS_CONFIG is set but not applied yet: the provider's permissions stay"

        if self.kept is not None and self.kept.used:
            yield (
                f"{', '.join(self.kept.used)} not set: made here, and kept in {self.kept.folder} "
                "for the next start. Beyond a local run set them"
            )

        if self.limiter is not None:
            yield from self.limiter.warnings(self.workers)

        for section in self.provider_settings.values():
            yield from section.warnings()


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings; raise `SettingsError` with every problem at once."""
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    own = read(OwnSettings, environ, problems)
    names = _providers_on(environ)
    shared: dict[str, Any] = {}
    kept = None

    if any(providers.REGISTRY[name].knows_users for name in names):
        directory = read(DirectorySettings, environ, problems)
        kept = _kept_secrets(own, directory)
        shared = {
            "directory": directory,
            "keys": read(KeySettings, environ, problems, kept),
            "limiter": read(LimiterSettings, environ, problems),
        }

    sections = {
        name: read(providers.REGISTRY[name].settings, environ, problems, kept) for name in names
    }

    for section in (*shared.values(), *sections.values()):
        problems.extend(section.problems() if hasattr(section, "problems") else ())

    problems.extend(_shared_secrets([*shared.values(), *sections.values()]))

    if own is not None:
        problems.extend(_own_problems(own, sections))

    if problems or own is None:
        raise SettingsError(problems)

    return Settings(**vars(own), provider_settings=sections, kept=kept, **shared)


def load_for_commands(environ: Mapping[str, str] | None = None) -> Settings:
    """Read what the commands at a terminal need: the directory, and how its keys are signed."""
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    own = read(OwnSettings, environ, problems)
    directory = read(DirectorySettings, environ, problems)
    kept = _kept_secrets(own, directory)
    keys = read(KeySettings, environ, problems, kept)
    problems.extend(directory.problems() if directory is not None else ())

    if problems or own is None:
        raise SettingsError(problems)

    return Settings(**vars(own), directory=directory, keys=keys, kept=kept)


def _kept_secrets(
    own: OwnSettings | None, directory: DirectorySettings | None
) -> KeptSecrets | None:
    """Return where a local run keeps secrets; None where they have to be set."""
    if own is None or directory is None or directory.sqlite_path is None:
        return None

    if own.bind_host not in LOOPBACK:
        return None

    return KeptSecrets(directory.sqlite_path.with_name(f"{directory.sqlite_path.name}.secrets"))


def _shared_secrets(sections: Sequence[Any]) -> Iterator[str]:
    """Refuse one secret for two purposes: what is signed for one would pass for the other."""
    signs: dict[str, str] = {}

    for section in sections:
        for attribute, one in declared(type(section)) if section is not None else ():
            value = getattr(section, attribute)

            for secret in value if one.secret and isinstance(value, tuple) else ():
                if signs.setdefault(secret, one.name) != one.name:
                    yield (
                        f"{one.name}: a secret of it is also in {signs[secret]}, so what is signed "
                        "with one would pass for the other. Choose another one."
                    )


def _own_problems(own: OwnSettings, sections: Mapping[str, Any]) -> Iterator[str]:
    """Check what needs more than the text of one variable."""
    ports = [one.root_port for one in sections.values() if one is not None]

    if own.http_port in ports:
        yield "HTTP_PORT: is also the port of another listener. Choose two."

    if own.style_config is not None:
        yield from clientconfig.problems("STYLE_CONFIG", own.style_config)

    if own.ca_file is not None:
        yield from _ca_problems(own.ca_file)


def _providers_on(environ: Mapping[str, str]) -> list[str]:
    """Name the providers to read settings for; unknown names are reported elsewhere."""
    listed = [name.strip() for name in environ.get("PROVIDERS", "").split(",") if name.strip()]

    if listed:
        return [name for name in providers.REGISTRY if name in listed]

    return [
        name
        for name, kind in providers.REGISTRY.items()
        if name == providers.DEFAULT or any(is_given(environ, one) for one in kind.variables())
    ]


def _ca_problems(path: str) -> Iterator[str]:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # an SSLError is one
        yield (
            f"UPSTREAM_CA_FILE: {path} cannot be used ({error.strerror}). "
            "Name a file with certificates in PEM form."
        )
