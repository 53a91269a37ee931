"""Stand-ins for the providers' servers: for a first run without an account, tests, benchmarks.

`with StreamSandbox() as upstream:` in a test, `serve(host, port)` in a process of its own.
"""

from __future__ import annotations

import logging
import signal
import threading

from .payload import bytes_sha256
from .stream import API_KEY, API_SECRET, StreamSandbox

__all__ = ["API_KEY", "API_SECRET", "StreamSandbox", "bytes_sha256", "serve"]

logger = logging.getLogger(__name__)
# A stand-in that runs for days must not keep every body it ever saw.
SERVED_JOURNAL = 1_000


def serve(host: str = "127.0.0.1", port: int = 3001, *, exposed: bool = False) -> None:
    """Run the Stream stand-in until SIGTERM or SIGINT; call it from the main thread.

    `exposed` lets it listen elsewhere than on loopback. Raises ValueError without it, OSError where
    the port is taken.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    sandbox = StreamSandbox(port, host=host, exposed=exposed, journal_capacity=SERVED_JOURNAL)
    with sandbox:
        logger.info("stream stand-in listens", extra={"url": sandbox.url})
        stop.wait()
