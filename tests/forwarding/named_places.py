"""The application of a server whose names are in a variable: `PLACES=127.0.0.1:80,127.0.0.2:80`.

A worker loads it after gevent has put its own look-up in the place of the system's.
"""

import os
import socket

from tests.forwarding.addresses import found

PLACES = [one.rsplit(":", 1) for one in os.environ["PLACES"].split(",")]
socket.getaddrinfo = lambda *_, **__: [found((host, int(port))) for host, port in PLACES]  # type: ignore[assignment]

from wsgi import app as app  # noqa: E402
