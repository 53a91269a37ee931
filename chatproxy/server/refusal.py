"""The answers of gunicorn itself, to what it does not take for a request.

Its own are HTML with the caller's text in it. Here they are in the sidecar's own shape, and say
under which id the log has them.
"""

import json
import socket

from gunicorn import util

from chatproxy.logs import correlation

MESSAGES = {
    400: "The request cannot be read.",
    414: "The request line is too long.",
    417: "This expectation cannot be met.",
    431: "The header fields are too large, or too many.",
    500: "Something went wrong.",
    501: "The only transfer coding understood is `chunked`.",
}


def write_error(sock: socket.socket, status_int: int, reason: str, _message: str) -> None:
    """Send a refusal, after which the connection is closed."""
    # Not gunicorn's message, which quotes the caller; the log has the reason.
    body = json.dumps({"errorMsg": MESSAGES.get(status_int, reason)}).encode()
    fields = (
        f"HTTP/1.1 {status_int} {reason}",
        f"X-Request-Id: {correlation.current()['reqId']}",
        "Connection: close",
        "Content-Type: application/json",
        "X-Content-Type-Options: nosniff",
        f"Content-Length: {len(body)}",
    )
    head = "".join(f"{field}\r\n" for field in fields)
    util.write_nonblock(sock, f"{head}\r\n".encode("latin-1") + body)


def install() -> None:
    """Make gunicorn's workers answer so."""
    # gunicorn has no setting for it: its worker looks the function up in that module.
    util.write_error = write_error
