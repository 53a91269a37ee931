"""PostgreSQL's URLs, as libpq documents them (section "Connection URIs" of its documentation).

libpq reads them itself. What it would refuse is refused here first: at the start, and without the
text, since libpq repeats what it cannot read, and that may be a part of a password.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

_PORT = r"(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3}|)"
_ENCODED = r"%(?!00)[0-9A-Fa-f]{2}"
_HOST = rf"(?:(?:[^\s/?#@:,%\[\]]|{_ENCODED})*|\[[0-9A-Fa-f:.]+(?:{_ENCODED}\w+)?\])(?::{_PORT})?"
#: A user and a password, any number of hosts, a database, parameters. A slash or an `@` in a
#: password must be encoded: libpq, too, would take what follows for the host.
URL = re.compile(
    rf"postgres(?:ql)?(?:\+psycopg)?://(?:(?:[^\s/@%]|{_ENCODED})*@)?{_HOST}(?:,{_HOST})*"
    rf"(?:/(?P<database>(?:[^\s?/#%]|{_ENCODED})*))?"
    rf"(?:\?(?P<parameters>(?:[^\s#%]|{_ENCODED})*))?"
)

_TEXT = re.compile(r".*", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_SWITCH = re.compile("[01]")
_TLS = re.compile(r"TLSv1(?:\.[123])?")

#: libpq's parameters, and what it takes as their values
#: (section "Parameter Key Words"). `ssl` is there for URLs from JDBC.
PARAMETERS = {
    **dict.fromkeys(
        (
            *("host", "hostaddr", "port", "dbname", "user", "password", "passfile", "service"),
            *("servicefile", "application_name", "fallback_application_name", "client_encoding"),
            *("options", "require_auth", "sslcert", "sslkey", "sslpassword", "sslrootcert"),
            *("sslcrl", "sslcrldir", "requirepeer", "krbsrvname", "scram_client_key"),
            *("scram_server_key", "sslkeylogfile", "oauth_issuer", "oauth_client_id"),
            *("oauth_client_secret", "oauth_scope"),
        ),
        _TEXT,
    ),
    **dict.fromkeys(
        ("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"), _NUMBER
    ),
    **dict.fromkeys(
        ("keepalives", "sslcompression", "sslsni", "gssdelegation", "requiressl"), _SWITCH
    ),
    "connect_timeout": re.compile("[1-9][0-9]{0,2}"),  # libpq takes 0 for no limit
    "ssl": re.compile("true"),
    "sslmode": re.compile("disable|allow|prefer|require|verify-ca|verify-full"),
    "sslnegotiation": re.compile("postgres|direct"),
    "sslcertmode": re.compile("disable|allow|require"),
    "ssl_min_protocol_version": _TLS,
    "ssl_max_protocol_version": _TLS,
    "gssencmode": re.compile("disable|prefer|require"),
    "gsslib": re.compile("gssapi|sspi"),
    "channel_binding": re.compile("disable|prefer|require"),
    "load_balance_hosts": re.compile("disable|random"),
    "min_protocol_version": re.compile("3.0|3.2|latest"),
    "max_protocol_version": re.compile("3.0|3.2|latest"),
    "target_session_attrs": re.compile("any|read-write|primary"),
    "replication": re.compile("false|off|no|0"),
}

#: Why a value that libpq takes is refused here.
REASONS = {
    "target_session_attrs": " The directory is written to, so it must be any, primary or "
    "read-write.",
    "connect_timeout": " It must be from 1 to 999 seconds.",
}


#: Parameters that are secrets.
SECRETS = frozenset(
    ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
)
PASSWORD = re.compile(r"^([^:/]+://[^:@/?#]*):[^@/]*@")


def without_secrets(url: str) -> str:
    """Return a URL in libpq's form as it may stand in a command line, which others can read."""
    plain = PASSWORD.sub(r"\1@", url.replace("+psycopg", "", 1))
    place, _, parameters = plain.partition("?")
    # libpq decodes the names, too.
    kept = "&".join(
        one for one in parameters.split("&") if unquote(one.partition("=")[0]) not in SECRETS
    )
    return f"{place}?{kept}" if kept else place


def is_url(text: str) -> bool:
    """Say whether it is a URL that names a database."""
    found = URL.fullmatch(text)
    # Without a name libpq would take the user's.
    return found is not None and bool(
        found["database"] or {"dbname", "service"} & dict(_parameters(text)).keys()
    )


def faults(name: str, text: str) -> Iterator[str]:
    """Yield a line for each parameter that cannot be used, with the variable's name."""
    for parameter, value in _parameters(text):
        if value is None:
            yield f"{name}: a parameter in the URL must have one `=`; in a value it is written %3D."
        elif parameter not in PARAMETERS:
            shown = parameter if re.fullmatch(r"\w{1,40}", parameter) else "a parameter"
            yield f"{name}: {shown} in the URL is none of libpq's. Remove it."
        elif not PARAMETERS[parameter].fullmatch(value):
            reason = REASONS.get(parameter, " See libpq's documentation.")
            yield f"{name}: the value of {parameter} in the URL cannot be used.{reason}"


def _parameters(text: str) -> Iterator[tuple[str, str | None]]:
    found = URL.fullmatch(text)

    # Not `parse_qsl`: for libpq a plus sign is one.
    for pair in (found["parameters"] or "").split("&") if found is not None else ():
        if pair:
            parameter, _, value = pair.partition("=")
            yield unquote(parameter), unquote(value) if pair.count("=") == 1 else None
