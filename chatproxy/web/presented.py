"""Reading from a request what the access document asks about: keys and methods."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from chatproxy.access.keys import ANY_KEY, HEADER, PREFIX
from chatproxy.access.rules import METHODS, Access
from chatproxy.forwarding.credentials import QUERY_SEPARATOR, plain_name, without
from chatproxy.forwarding.escapes import readings

#: Fields of a query by which some servers let a request change its own method. The headers for it
#: are never forwarded (`forwarding.headers`).
METHOD_FIELDS = frozenset(
    {"_method", "x_http_method_override", "x_http_method", "x_method_override"}
)
FORM = "application/x-www-form-urlencoded"

Environ = Mapping[str, Any]


def in_environ(name: str) -> str:
    """Return the name that a header has in WSGI's environ."""
    return "HTTP_" + name.upper().replace("-", "_")


FIELD = in_environ(HEADER)


def keys_in(environ: Environ) -> Iterator[str]:
    """Yield every key of a caller in the two headers for it."""
    # gunicorn joins repeated fields by commas, which no key has.
    if (given := environ.get(FIELD)) is not None:
        yield from filter(None, map(str.strip, given.split(",")))

    authorization = environ.get("HTTP_AUTHORIZATION", "")

    for one in authorization.split(",") if PREFIX in authorization else ():
        scheme, _, credential = one.strip().rpartition(" ")

        if credential.startswith(PREFIX) and scheme.strip().lower() in ("", "bearer"):
            yield credential


def keys_in_place(environ: Environ, query: str, reserved: frozenset[str]) -> Iterator[str]:
    """Yield every key in place of a provider's credential, whose names are `reserved`."""
    # For SDKs that can set no header. What the provider gets are our credentials.
    for field in _fields(reserved):
        value = environ.get(field)

        if value is not None and value.startswith(PREFIX):
            yield value

    if PREFIX in query:
        for name, value in _pairs(query):
            if value.startswith(PREFIX) and plain_name(name) in reserved:
                yield value


def has_key(path: str, key: str, access: Access) -> bool:
    """Say whether a raw path holds this key or another caller's, however often encoded."""
    return any(
        key in one or any(map(access.caller_of, ANY_KEY.findall(one)))
        for one in readings(path)
        if PREFIX in one
    )


def methods_of(environ: Environ, query: str) -> tuple[str, ...]:
    """Return every method that a server could take a request for; HEAD is a GET."""
    is_form = (environ.get("CONTENT_TYPE") or "").strip().lower().startswith(FORM)
    return METHODS if is_form or _names_a_method(query) else (method_of(environ),)


def method_of(environ: Environ) -> str:
    """Return a request's own method; HEAD is a GET."""
    method: str = environ["REQUEST_METHOD"]
    return "GET" if method == "HEAD" else method


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    for pair in QUERY_SEPARATOR.split(query.replace("+", " "))[::2]:
        name, _, value = pair.partition("=")
        yield unquote(name), unquote(value)


@functools.lru_cache(maxsize=64)  # of the providers that there are
def _fields(reserved: frozenset[str]) -> tuple[str, ...]:
    return tuple(in_environ(name) for name in reserved if name != "authorization")


def _names_a_method(query: str) -> bool:
    # Most queries neither have such a word nor anything that could hide it.
    if "%" not in query and "method" not in query.lower():
        return False

    return without(query, METHOD_FIELDS) != query
