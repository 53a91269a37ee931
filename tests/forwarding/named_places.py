"""The application of a server whose names all lead to what a file says: a `host:port` a line.

A worker loads it after gevent has put its own look-up in the place of the system's.
"""

import os
import socket
from pathlib import Path

from tests.forwarding.addresses import found, read_places

PLACES = Path(os.environ["PLACES"])
socket.getaddrinfo = lambda *_, **__: [found(place) for place in read_places(PLACES)]  # type: ignore[assignment]

from wsgi import app as app  # noqa: E402
