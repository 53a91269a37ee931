"""Every setting of the sidecar itself, and the one place that reads the environment.

A provider declares its own settings in its folder; `load` reads them together
with these, so that all problems are reported at once.
"""

import dataclasses
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import fields, validate

from chatproxy import clientconfig, providers
from chatproxy.errors import SettingsError
from chatproxy.identity.settings import DirectorySettings, KeySettings
from chatproxy.keptsecrets import KeptSecrets
from chatproxy.limiting.settings import LimiterSettings
from chatproxy.variables import Text, TextList, WholeNumber, is_given, read, secrets_of, variable

MIB = 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1", "localhost")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")
SERVICE_PREFIX = re.compile(r"/[A-Za-z0-9_~-]+(/[A-Za-z0-9_~-]+)*")


def _seconds(high: float) -> fields.Float:
    above_zero = validate.Range(0, high, min_inclusive=False)
    return fields.Float(allow_nan=False, validate=above_zero)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the environment says. Times are seconds, sizes are bytes."""

    bind_host: str = variable(
        "BIND_HOST",
        fields.String(validate=validate.Regexp(r"[0-9A-Za-z.:_-]+\Z")),
        default="127.0.0.1",
        expects="an address or host name of this machine",
        meaning="Address to listen on. Beyond loopback, whoever reaches the port is an "
        "administrator of the chat.",
    )
    http_port: int = variable(
        "HTTP_PORT",
        WholeNumber(1, 65535),
        default=3000,
        expects="a port number from 1 to 65535",
        meaning="Port to listen on.",
    )
    service_prefix: str = variable(
        "SERVICE_PREFIX",
        fields.String(validate=validate.Regexp(SERVICE_PREFIX.pattern + r"\Z")),
        default="",
        expects="a path such as /chat: a slash first, none at the end",
        meaning="Path below which everything but `/-/…` is served.",
    )
    log_level: str = variable(
        "LOG_LEVEL",
        fields.String(
            validate=validate.OneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
        ),
        default="info",
        expects="one of trace, debug, info, warn, error, fatal, silent",
        meaning="The least severe level that is logged.",
    )
    providers: tuple[str, ...] | None = variable(
        "PROVIDERS",
        TextList(lambda name: name in providers.REGISTRY),
        default=None,
        expects="a comma list of these: " + ", ".join(providers.REGISTRY),
        meaning="Which providers are on. Absent: the default one, and each that has a setting "
        "of its own.",
    )
    max_body_bytes: int = variable(
        "MAX_BODY_BYTES",
        WholeNumber(0, 2**53),
        default=105 * MIB,
        expects="a number of bytes",
        meaning="Largest body that is forwarded. Above it the answer is 413.",
    )
    max_json_bytes: int = variable(
        "MAX_JSON_BYTES",
        WholeNumber(1, 64 * MIB),
        default=1 * MIB,
        expects="a number of bytes from 1 to 67108864",
        meaning="Largest body that chatproxy's own endpoints read. Above it the answer is 413.",
    )
    connect_timeout: float = variable(
        "UPSTREAM_CONNECT_TIMEOUT",
        _seconds(600),
        default=5.0,
        expects="a number of seconds above 0, at most 600",
        meaning="Limit on name look-up, connection and TLS handshake together.",
    )
    read_timeout: float = variable(
        "UPSTREAM_READ_TIMEOUT",
        _seconds(3600),
        default=15.0,
        expects="a number of seconds above 0, at most 3600",
        meaning="Limit on each wait for the provider before its answer begins.",
    )
    total_timeout: float = variable(
        "UPSTREAM_TOTAL_TIMEOUT",
        _seconds(3600),
        default=30.0,
        expects="a number of seconds above 0, at most 3600",
        meaning="Limit from name look-up to the end of the answer's headers. The time an "
        "upload takes is not counted; it has the two body limits.",
    )
    body_idle_timeout: float = variable(
        "BODY_IDLE_TIMEOUT",
        _seconds(3600),
        default=60.0,
        expects="a number of seconds above 0, at most 3600",
        meaning="Limit on each wait for the next piece of a body, in both directions.",
    )
    body_total_timeout: float = variable(
        "BODY_TOTAL_TIMEOUT",
        _seconds(86400),
        default=3600.0,
        expects="a number of seconds above 0, at most 86400",
        meaning="Limit on the whole of one body, in each direction.",
    )
    pool_size: int = variable(
        "UPSTREAM_POOL_SIZE",
        WholeNumber(0, 10_000),
        default=100,
        expects="a whole number from 0 to 10000",
        meaning="Idle connections to a provider that each worker keeps for reuse. More are "
        "opened when needed and closed afterwards.",
    )
    ca_file: str | None = variable(
        "UPSTREAM_CA_FILE",
        fields.String(),
        default=None,
        expects="the path of a file with certificates in PEM form",
        meaning="Certificates of the authorities that a provider's TLS certificate may come "
        "from. Absent: the public ones (certifi).",
    )
    user_id_header: str = variable(
        "USERID_HEADER_KEY",
        Text(lambda text: _is_header_path(text)),
        default="userid",
        expects="a header name without underscore, or header.property for a JSON header",
        meaning="Header that holds the logged-in user's id. After a dot: the property of a "
        "JSON object in that header, such as `miauserproperties._id`.",
    )
    user_id_strip_prefix: tuple[str, ...] = variable(
        "USERID_STRIP_PREFIX",
        TextList(),
        default=(),
        expects="a comma list of prefixes",
        meaning="Prefixes taken off a user id before it is checked, such as `auth0|`.",
    )
    error_object_key: str = variable(
        "ERROR_OBJ_KEY",
        Text(lambda text: text != "authentication"),
        default="errors",
        expects="a name other than `authentication`",
        meaning="Key, under a client type, of the messages for a caller who is not logged in.",
    )
    style_config: str | None = variable(
        "STYLE_CONFIG",
        fields.String(),
        default=None,
        expects="the path of a JSON file",
        meaning="Document behind `GET /config`. Read again when it changes.",
    )
    permissions_config: str | None = variable(
        "PERMISSIONS_CONFIG",
        fields.String(),
        default=None,
        expects="the path of a JSON file",
        meaning="Permissions document. Accepted, not applied yet: the start warns.",
    )
    permissions_version: str = variable(
        "PERMISSIONS_VERSION",
        fields.String(validate=validate.OneOf(["1", "2"])),
        default="2",
        expects="1 or 2",
        meaning="Permission system of that document. Accepted, not applied yet.",
    )
    workers: int = variable(
        "WORKERS",
        WholeNumber(1, 64),
        default=1,
        expects="a whole number from 1 to 64",
        meaning="Worker processes.",
    )
    worker_class: str = variable(
        "WORKER_CLASS",
        fields.String(validate=validate.OneOf(["gevent", "gthread"])),
        default="gevent",
        expects="gevent or gthread",
        meaning="How a worker serves many callers at once. See decision 0002 before changing it.",
    )
    worker_connections: int = variable(
        "WORKER_CONNECTIONS",
        WholeNumber(1, 65535),
        default=4096,
        expects="a whole number from 1 to 65535",
        meaning="Connections that one worker holds open at once (gevent), or its threads "
        "(gthread).",
    )
    keepalive_timeout: int = variable(
        "KEEPALIVE_TIMEOUT",
        WholeNumber(1, 3600),
        default=75,
        expects="a number of seconds from 1 to 3600",
        meaning="Limit on an idle connection, and on receiving one request's headers.",
    )
    graceful_timeout: int = variable(
        "GRACEFUL_TIMEOUT",
        WholeNumber(0, 3600),
        default=25,
        expects="a number of seconds from 0 to 3600",
        meaning="How long requests under way may go on after SIGTERM.",
    )
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
    settings = read(Settings, environ, problems)
    names = _providers_on(environ)
    shared: dict[str, Any] = {}
    kept = None

    if any(providers.REGISTRY[name].knows_users for name in names):
        directory = read(DirectorySettings, environ, problems)
        kept = _kept_secrets(settings, directory)
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

    if settings is not None:
        problems.extend(_own_problems(settings, sections))

    if problems or settings is None:
        raise SettingsError(problems)

    return dataclasses.replace(settings, provider_settings=sections, kept=kept, **shared)


def load_for_commands(environ: Mapping[str, str] | None = None) -> Settings:
    """Read what the commands at a terminal need: the directory, and how its keys are signed."""
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    settings = read(Settings, environ, problems)
    directory = read(DirectorySettings, environ, problems)
    kept = _kept_secrets(settings, directory)
    keys = read(KeySettings, environ, problems, kept)
    problems.extend(directory.problems() if directory is not None else ())

    if problems or settings is None:
        raise SettingsError(problems)

    return dataclasses.replace(settings, directory=directory, keys=keys, kept=kept)


def _kept_secrets(
    settings: Settings | None, directory: DirectorySettings | None
) -> KeptSecrets | None:
    """Return where a local run keeps secrets; None where they have to be set."""
    if settings is None or directory is None or directory.sqlite_path is None:
        return None

    if settings.bind_host not in LOOPBACK:
        return None

    return KeptSecrets(directory.sqlite_path.with_name(f"{directory.sqlite_path.name}.secrets"))


def _own_problems(settings: Settings, sections: Mapping[str, Any]) -> Iterator[str]:
    """Check what needs more than the text of one variable."""
    ports = [one.root_port for one in sections.values() if one is not None]

    if settings.http_port in ports:
        yield "HTTP_PORT: is also the port of another listener. Choose two."

    if settings.style_config is not None:
        yield from clientconfig.problems("STYLE_CONFIG", settings.style_config)

    if settings.ca_file is not None:
        yield from _ca_problems(settings.ca_file)


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


def _is_header_path(text: str) -> bool:
    """Check `header` or `header.property.property`. The server drops names with `_`."""
    header, *properties = text.split(".")
    return bool(HEADER_NAME.fullmatch(header)) and "_" not in header and all(properties)
