"""The sidecar's own settings: those of no provider, and not of the directory."""

import dataclasses
import re

from marshmallow import fields, validate

from chatproxy import providers
from chatproxy.variables import Text, TextList, WholeNumber, variable

MIB = 1024 * 1024
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")
SERVICE_PREFIX = re.compile(r"/[A-Za-z0-9_~-]+(/[A-Za-z0-9_~-]+)*")


def _seconds(high: float) -> fields.Float:
    above_zero = validate.Range(0, high, min_inclusive=False)
    return fields.Float(allow_nan=False, validate=above_zero)


def _is_header_path(text: str) -> bool:
    """Check `header` or `header.property.property`. The server drops names with `_`."""
    header, *properties = text.split(".")
    return bool(HEADER_NAME.fullmatch(header)) and "_" not in header and all(properties)


@dataclasses.dataclass(frozen=True)
class OwnSettings:
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
        Text(_is_header_path),
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
