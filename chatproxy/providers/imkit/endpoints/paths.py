"""Paths below `/imkit`, read from the raw target: an id may have an encoded slash."""

from chatproxy.errors import NotFound
from chatproxy.providers.paths import folded_segments
from chatproxy.web.current import context, services
from chatproxy.web.parsing import decoded_id, segments_below

CLIENTS = "/imkit/admin/clients/"


def first_segment() -> str:
    """Return the first segment below `/imkit`, as the most lenient server would read it."""
    mount = f"{services().settings.service_prefix}/imkit"
    return next(iter(folded_segments(context().path.removeprefix(mount))), "")


def named_client() -> str:
    """Return the id in `/admin/clients/<id>/token`; raise `NotFound`, `BadTarget`."""
    segments = segments_below(CLIENTS)

    if not segments[-1]:  # the vendor's library sends a slash at the end
        segments = "/".join(segments).rstrip("/").split("/")

    if len(segments) != 2:
        raise NotFound("Nothing is served at this path.")

    return decoded_id(segments[0], "client")
