"""Client ids in paths: read from the raw form, so that an id may hold an encoded slash."""

from urllib.parse import quote, unquote

from chatproxy.web.serving import context, services
from chatproxy.errors import BadTarget, NotFound

CLIENTS = "/imkit/admin/clients/"


def named_client() -> str:
    """Return the id in `/admin/clients/<id>/token`; raise `NotFound`, `BadTarget`."""
    path = context().target.path.removeprefix(services().settings.service_prefix)
    segments = path.removeprefix(CLIENTS).rstrip("/").split("/")

    if len(segments) != 2:
        raise NotFound("Nothing is served at this path.")

    try:
        return unquote(segments[0], errors="strict")
    except UnicodeDecodeError as error:
        raise BadTarget("The client id in the path is not UTF-8.") from error


def clients_token_path(client_id: str) -> str:
    """Return the path, at an IMKit server, of a client's tokens."""
    return f"/admin/clients/{quote(client_id, safe='')}/token"
