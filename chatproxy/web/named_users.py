"""Reading from a call to be forwarded for which users it is, as far as its head says."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from chatproxy.formats import strictjson
from chatproxy.forwarding.credentials import QUERY_SEPARATOR, plain_name
from chatproxy.forwarding.escapes import readings
from chatproxy.forwarding.headers import squeezed
from chatproxy.settings.variables import ProviderSection

#: Stands for a user that cannot be read. No pattern fits it but `*`.
UNREADABLE = ""
#: The object that some objects have in place of an id.
USER = "user"


def named(environ: Mapping[str, Any], query: str, section: ProviderSection) -> Iterator[str]:
    """Yield each user that a call names, in each way that a server could read it."""
    if section.user_headers:
        yield from _in_headers(environ, frozenset(map(squeezed, section.user_headers)))

    if not (section.user_parameters or section.user_objects):
        return

    for pair in QUERY_SEPARATOR.split(query.replace("+", " "))[::2]:
        name, _, value = pair.partition("=")
        names = set(map(plain_name, readings(name)))

        # As with a path: what can be read in several ways is allowed where each of them is.
        if not names.isdisjoint(section.user_parameters):
            yield from list(readings(value))[1:] or [value]

        if not names.isdisjoint(section.user_objects):
            yield from _in_object(unquote(value), section.user_parameters)


def _in_headers(environ: Mapping[str, Any], wanted: frozenset[str]) -> Iterator[str]:
    for field, value in environ.items():
        if field.startswith("HTTP_") and squeezed(field[5:]) in wanted:
            yield value.encode("latin-1").decode("utf-8", "replace")


def _in_object(text: str, parameters: tuple[str, ...]) -> Iterator[str]:
    # Strictly: what another parser could take for another user names nobody whom we know.
    try:
        found = strictjson.read(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        found = UNREADABLE

    if not isinstance(found, dict):
        yield UNREADABLE
        return

    for name, value in found.items():
        plain = plain_name(name)

        if plain == USER and isinstance(value, dict):
            yield from (_id(one) for key, one in value.items() if plain_name(key) == "id")
        elif value is not None and plain in (*parameters, USER):
            yield _id(value)


def _id(value: Any) -> str:
    return value if isinstance(value, str) else UNREADABLE
