"""The sidecar's own settings: those that belong to no other part and to no provider."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import unquote

from chatproxy.access import document
from chatproxy.formats.authority import host_of, is_ipv6, is_loopback
from chatproxy.formats.certificates import trusting
from chatproxy.settings.fields import (
    DAY,
    Duration,
    FilePath,
    HostNames,
    OneOf,
    Origins,
    Port,
    Seconds,
    Text,
    TextList,
    WholeNumber,
)
from chatproxy.settings.files import MountedFile
from chatproxy.settings.variables import Section, variable

MIB = 1024 * 1024
ADDRESS = re.compile(r"[0-9A-Za-z.:_-]+")
#: A token (RFC 9110 section 5.6.2) without `_`: gunicorn drops a header that has one in its name.
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")
SERVICE_PREFIX = re.compile(r"/[A-Za-z0-9_~-]+(/[A-Za-z0-9_~-]+)*")

#: Seconds that a worker takes at most to break off what is under way at `GRACEFUL_TIMEOUT`.
LAST_WORDS = 2

#: Seconds after which Kubernetes kills a pod that says nothing else.
POD_GRACE_PERIOD = 30

#: A `%` that begins no escape may be one that nobody encoded.
ESCAPED = "%[0-9A-Fa-f]{2}"
PROXY_URL = re.compile(
    rf"http://(?:(?P<user>(?:[^\s/?#@:%]|{ESCAPED})*)(?::(?P<password>(?:[^\s/?#@%]|{ESCAPED})*))?@)?"
    r"(?:(?P<host>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?)|\[(?P<address>[0-9A-Fa-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)
#: What Basic credentials cannot hold, encoded or not (RFC 7617 section 2).
NOT_IN_CREDENTIALS = re.compile(r"[\x00-\x1f\x7f]")


def _matches(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text) is not None


def _is_header_path(text: str) -> bool:
    header, *properties = text.split(".")
    return _matches(HEADER_NAME, header) and all(properties)


def _certificate_problems(content: bytes) -> Iterator[str]:
    # Loaded here as well, so that a bad file stops the start and not the first call.
    try:
        trusting(content)
    except OSError as error:  # an SSLError is one
        yield f"cannot be used ({error.strerror}). Name a file with certificates in PEM form."


def _is_proxy_url(text: str) -> bool:
    found = PROXY_URL.fullmatch(text)
    return (
        found is not None
        and (found["address"] is None or is_ipv6(found["address"]))
        and 0 < int(found["port"] or 80) < 65536
        and ":" not in unquote(found["user"] or "")
        and not NOT_IN_CREDENTIALS.search(unquote(text))
    )


@dataclasses.dataclass(frozen=True)
class SidecarSettings(Section):
    """The sidecar's own settings. Times are in seconds, sizes in bytes."""

    bind_host: str = variable(
        "BIND_HOST",
        Text(lambda text: _matches(ADDRESS, text), "an address or host name of this machine"),
        default="127.0.0.1",
        meaning="Address to listen on. Beyond loopback, whoever reaches the port is an "
        "administrator of the chat.",
    )
    http_port: int = variable("HTTP_PORT", Port(), default=3000, meaning="Port to listen on.")
    client_port: int | None = variable(
        "CLIENT_PORT",
        Port(),
        default=None,
        meaning="Port of the client door: what chat clients call with a token of their own is "
        "served there and no longer at `HTTP_PORT`. Only this port may be open to the world.",
    )
    client_host: str | None = variable(
        "CLIENT_HOST",
        Text(lambda text: _matches(ADDRESS, text), "an address or host name of this machine"),
        default=None,
        meaning="Address of the client door. Absent: `BIND_HOST`.",
    )
    status_port: int | None = variable(
        "STATUS_PORT",
        Port(),
        default=None,
        meaning="Port of the status door: `/-/…` is served there and no longer at `HTTP_PORT`.",
    )
    status_host: str | None = variable(
        "STATUS_HOST",
        Text(lambda text: _matches(ADDRESS, text), "an address or host name of this machine"),
        default=None,
        meaning="Address of the status door, such as `0.0.0.0` for a kubelet. Absent: `BIND_HOST`.",
    )
    allowed_hosts: tuple[str, ...] = variable(
        "ALLOWED_HOSTS",
        HostNames(),
        default=(),
        meaning="Names in `Host` that are served beside those of loopback, without ports; "
        "`.chat.example` is that name and all below it. Absent: none, or any where the "
        "address that is listened on is beyond loopback.",
    )
    trusted_origins: tuple[str, ...] = variable(
        "TRUSTED_ORIGINS",
        Origins(or_any=False),
        default=(),
        meaning="Origins whose pages may also make calls that are not meant for browsers, where a "
        "gateway passes on what their browsers send. Adds no CORS.",
    )
    service_prefix: str = variable(
        "SERVICE_PREFIX",
        Text(
            lambda text: _matches(SERVICE_PREFIX, text),
            "a path such as /chat: a slash first, none at the end",
        ),
        default="",
        meaning="Path below which everything but `/-/…` is served.",
    )
    access_config: MountedFile | None = variable(
        "ACCESS_CONFIG",
        FilePath("a YAML or JSON file"),
        default=None,
        meaning="Document that says which services may call, and what each may do. Read again when "
        "it changes. Absent: whoever reaches the port may do everything.",
        check=document.problems,
    )
    log_level: str = variable(
        "LOG_LEVEL",
        OneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
        default="info",
        meaning="The least severe level that is logged.",
    )
    log_format: Literal["json", "text"] = variable(
        "LOG_FORMAT",
        OneOf("json", "text"),
        default="json",
        meaning="`json`: one object per line, for machines. `text`: for people, coloured at a "
        "terminal.",
    )
    providers: tuple[str, ...] | None = variable(
        "PROVIDERS",
        TextList("a comma list of providers"),
        default=None,
        meaning="Which providers are on. Absent: the default one, and each that has a setting "
        "of its own.",
    )
    max_body_bytes: int = variable(
        "MAX_BODY_BYTES",
        WholeNumber(0, 2**53, of="a number of bytes"),
        default=105 * MIB,
        meaning="Largest body that is forwarded. Above it the answer is 413.",
    )
    max_json_bytes: int = variable(
        "MAX_JSON_BYTES",
        WholeNumber(1, 64 * MIB, of="a number of bytes"),
        default=1 * MIB,
        meaning="Largest body that chatproxy's own endpoints read. Above it the answer is 413.",
    )
    max_held_bytes: int = variable(
        "MAX_HELD_BYTES",
        WholeNumber(1, 2**53, of="a number of bytes"),
        default=64 * MIB,
        meaning="Bytes of bodies that one worker holds in memory together: those that its own "
        "endpoints read, and those into which credentials are put. Where there is no room the "
        "slowest sender gets 408, or else the new one 503. At least `MAX_JSON_BYTES`.",
    )
    # 5 seconds to connect and 15 to answer are Envoy's defaults for a cluster and a route.
    connect_timeout: float = variable(
        "UPSTREAM_CONNECT_TIMEOUT",
        Seconds(600),
        default=5.0,
        meaning="Limit on name look-up, connection and TLS handshake together.",
    )
    read_timeout: float = variable(
        "UPSTREAM_READ_TIMEOUT",
        Seconds(3600),
        default=15.0,
        meaning="Limit on each wait for the provider before its answer begins.",
    )
    total_timeout: float = variable(
        "UPSTREAM_TOTAL_TIMEOUT",
        Seconds(3600),
        default=30.0,
        meaning="Limit from name look-up to the end of the answer's headers. The time an "
        "upload takes is not counted; it has the two body limits.",
    )
    body_idle_timeout: float = variable(
        "BODY_IDLE_TIMEOUT",
        Seconds(3600),
        default=60.0,
        meaning="Limit on each wait for the next piece of a body, in both directions.",
    )
    body_total_timeout: float = variable(
        "BODY_TOTAL_TIMEOUT",
        Seconds(DAY),
        default=3600.0,
        meaning="Limit on the whole of one body, in each direction.",
    )
    pool_size: int = variable(
        "UPSTREAM_POOL_SIZE",
        WholeNumber(0, 10_000),
        default=100,
        meaning="Idle connections to a provider that each worker keeps for reuse. More are "
        "opened when needed and closed afterwards.",
    )
    connection_max_age: int = variable(
        "UPSTREAM_CONNECTION_MAX_AGE",
        Duration(1, DAY, example="5m"),
        default=300,
        meaning="Age from which a connection to a provider is not used again, however busy it "
        "is, so that a name that moves is followed.",
    )
    ca_file: MountedFile | None = variable(
        "UPSTREAM_CA_FILE",
        FilePath("a file with certificates in PEM form"),
        default=None,
        meaning="Certificates of the authorities that a provider's TLS certificate may come "
        "from. Absent: the public ones (certifi). Read again when it changes.",
        check=_certificate_problems,
    )
    proxy_url: str | None = variable(
        "UPSTREAM_PROXY",
        Text(
            _is_proxy_url,
            "the http URL of a proxy, such as http://user:password@proxy:3128, with `/`, `?`, "
            "`#`, `@` and `%` in a password percent-encoded",
        ),
        default=None,
        meaning="Proxy through which every provider and Centrifugo is reached, by CONNECT. No "
        "other variable names one: `HTTPS_PROXY` and its like are not read. Absent: none.",
        secret=True,
    )
    proxy_exceptions: tuple[str, ...] = variable(
        "UPSTREAM_PROXY_EXCEPT",
        HostNames(),
        default=(),
        meaning="Hosts that are reached without the proxy, such as `localhost`; `.chat.example` is "
        "that name and all below it.",
    )
    user_id_header: str = variable(
        "USERID_HEADER_KEY",
        Text(
            _is_header_path,
            "a header name without underscore, or header.property for a JSON header",
        ),
        default="userid",
        meaning="Header that holds the logged-in user's id. After a dot: the property of a "
        "JSON object in that header, such as `miauserproperties._id`.",
    )
    workers: int = variable("WORKERS", WholeNumber(1, 64), default=1, meaning="Worker processes.")
    max_requests: int = variable(
        "MAX_REQUESTS",
        WholeNumber(0, 2**31),
        default=0,
        meaning="Requests after which a worker is replaced, and up to a tenth more, so that not "
        "all are at once. 0: never.",
    )
    worker_connections: int = variable(
        "WORKER_CONNECTIONS",
        WholeNumber(1, 65535),
        default=4096,
        meaning="Connections that one worker holds open at once, as far as its open files allow "
        "two for each. Above it the one that has kept it waiting longest is closed.",
    )
    secret_overlap: int = variable(
        "SECRET_OVERLAP",
        Duration(0, 30 * DAY, example="10m"),
        default=600,
        meaning="How long what was signed with a secret is accepted after another one has come "
        "into its file, or into the folder of kept ones.",
    )
    keepalive_timeout: int = variable(
        "KEEPALIVE_TIMEOUT",
        WholeNumber(1, 3600, of="a number of seconds"),
        default=75,
        meaning="Limit on an idle connection, and on receiving one request's headers.",
    )
    drain_seconds: int = variable(
        "DRAIN_SECONDS",
        WholeNumber(0, 3600, of="a number of seconds"),
        default=0,
        meaning="How long it serves on after SIGTERM, while `/-/ready` says 503: as long as it "
        "takes until nobody sends requests here any more.",
    )
    graceful_timeout: int = variable(
        "GRACEFUL_TIMEOUT",
        WholeNumber(0, 3600, of="a number of seconds"),
        default=25,
        meaning="How long requests under way may go on after SIGTERM, or after `DRAIN_SECONDS`.",
    )
    documentation: str = variable(
        "DOCUMENTATION",
        OneOf("true", "false"),
        default="true",
        meaning="`false`: neither `/documentation` nor `/documentation/json` is served.",
    )
    console: str = variable(
        "CONSOLE",
        OneOf("true", "false"),
        default="false",
        meaning="`true`: `/-/console` shows the state of the sidecar as a page for people.",
    )

    def proxy_to(self, host: str) -> str | None:
        """Return the URL of the proxy through which a host is reached, or None."""
        name = f".{host.removesuffix('.').lower()}"
        direct = any(
            name.endswith(one) if one.startswith(".") else name == f".{one}"
            for one in map(host_of, self.proxy_exceptions)
        )
        return None if direct else self.proxy_url

    def proxy_passwords(self) -> Iterator[str]:
        """Yield the password in the proxy's URL as it is written and as it is meant."""
        if (found := PROXY_URL.fullmatch(self.proxy_url or "")) and found["password"]:
            yield from (found["password"], unquote(found["password"]))

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the sidecar, but for its probes."""
        return all(is_loopback(host) for host in (self.bind_host, self.client_host) if host)

    @property
    def stops_within(self) -> int:
        """Seconds from SIGTERM to the end of the last process, at most."""
        return self.drain_seconds + self.graceful_timeout + LAST_WORDS

    def problems(self) -> Iterator[str]:
        """Refuse room that is too little for one body."""
        if self.max_held_bytes < self.max_json_bytes:
            yield (
                "MAX_HELD_BYTES: one body of MAX_JSON_BYTES "
                f"({self.max_json_bytes}) has no room in it. Raise it."
            )

    def warnings(self) -> Iterator[str]:
        """Warn of a port that others can reach."""
        by_any_name = (
            "any name is served as Host, so that a web page may be one (DNS rebinding): "
            "set ALLOWED_HOSTS to the names that callers use"
        )

        if not is_loopback(self.bind_host):
            by_name = () if self.allowed_hosts else (by_any_name,)
            # With a document only its callers are served there.
            by_all = (
                "whoever reaches this port is an administrator of the chat: set ACCESS_CONFIG to a "
                "document that says who may call",
            )

            if faults := (*(by_all if self.access_config is None else ()), *by_name):
                yield f"BIND_HOST is {self.bind_host}, beyond loopback: {'; and '.join(faults)}"

        # Where it drains it is in a pod, most likely.
        if self.drain_seconds and self.stops_within > POD_GRACE_PERIOD:
            yield (
                f"a stop takes up to {self.stops_within} s (DRAIN_SECONDS, GRACEFUL_TIMEOUT and "
                f"{LAST_WORDS} s more): a pod needs a longer terminationGracePeriodSeconds, which "
                f"is {POD_GRACE_PERIOD} unless set"
            )

        # The status door is none of these: no host is checked there.
        if (
            self.client_port is not None
            and self.client_host is not None
            and not (self.allowed_hosts or is_loopback(self.client_host))
        ):
            yield f"CLIENT_HOST is {self.client_host}, beyond loopback: {by_any_name}"

        if self.client_host is not None and self.client_port is None:
            yield "CLIENT_HOST is set and CLIENT_PORT is not: there is no client door"

        if self.status_host is not None and self.status_port is None:
            yield "STATUS_HOST is set and STATUS_PORT is not: there is no status door"
