"""The request for a socket: Engine.IO's query and the opening handshake of RFC 6455."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from wsproto.utilities import generate_accept_token

from chatproxy.errors import CallerError

ONLY_WEBSOCKET = (
    "Only the WebSocket transport is served here: connect with transports: ['websocket']."
)

#: The revision of Engine.IO that Socket.IO 3 and 4 use, the version of WebSocket, and the
#: length of a key (RFC 6455 section 4.1).
REVISION = "4"
VERSION = "13"
KEY_BYTES = 16


class WrongVersion(CallerError):
    """The caller uses another version of WebSocket."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        # A caller that knows ours may try again with it (RFC 6455 section 4.2.2).
        self.headers = {"Sec-WebSocket-Version": VERSION}


def accept_token(environ: Mapping[str, Any], *, relayed: bool = False) -> str:
    """Return the value of `Sec-WebSocket-Accept`; raise `CallerError` for a bad request.

    Where it is relayed the query is the server's business.
    """
    _check_transport(environ)

    if not relayed:
        _check_query(environ)

    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != VERSION:
        raise WrongVersion(f"Only version {VERSION} of WebSocket is spoken here.")

    key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "").encode("latin-1")

    if not _is_key(key):
        raise CallerError(f"Sec-WebSocket-Key must be {KEY_BYTES} bytes in base64.")

    return generate_accept_token(key).decode()


def _check_transport(environ: Mapping[str, Any]) -> None:
    asks = (
        "websocket" in _listed(environ.get("HTTP_UPGRADE", ""))
        and "upgrade" in _listed(environ.get("HTTP_CONNECTION", ""))
        and environ["REQUEST_METHOD"] == "GET"
        and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    )
    # The bytes of a body would be read as the first frame.
    has_body = (environ.get("CONTENT_LENGTH") or "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ

    if not asks or has_body:
        raise CallerError(ONLY_WEBSOCKET)


def _check_query(environ: Mapping[str, Any]) -> None:
    query = parse_qs(environ.get("QUERY_STRING", ""))

    # A `sid` belongs to a session that began with polling, which is not served.
    if query.get("transport") != ["websocket"] or "sid" in query:
        raise CallerError(ONLY_WEBSOCKET)

    if query.get("EIO") != [REVISION]:
        raise CallerError(f"EIO must be {REVISION}: Socket.IO's clients have it from version 3 on.")


def _listed(field: str) -> set[str]:
    return {one.strip().lower() for one in field.split(",")}


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == KEY_BYTES
    except binascii.Error:
        return False
