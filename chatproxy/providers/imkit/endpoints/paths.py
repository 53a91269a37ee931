"""Paths below `/imkit`, read from the raw target: an id may have an encoded slash."""

import re
from collections.abc import Set

from chatproxy.errors import NotFound
from chatproxy.providers.paths import END, readings
from chatproxy.web.parsing import decoded_id, path_below, segments_below

CLIENTS = "/imkit/admin/clients/"


def is_below(words: Set[str]) -> bool:
    """Say whether a server could read one of the words as the first segment below `/imkit`.

    Raises `BadTarget`.
    """
    first = re.compile(rf"/*(?:{'|'.join(map(re.escape, words))}){END}")
    return any(map(first.match, readings(path_below("/imkit"))))


def named_client() -> str:
    """Return the id in `/admin/clients/<id>/token`; raise `NotFound`, `BadTarget`."""
    segments = segments_below(CLIENTS)

    if not segments[-1]:  # the vendor's library sends a slash at the end
        segments = "/".join(segments).rstrip("/").split("/")

    if len(segments) != 2:
        raise NotFound("Nothing is served at this path.")

    return decoded_id(segments[0], "client")
