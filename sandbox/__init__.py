"""Stand-ins for the providers' servers: for a first run without an account, tests, benchmarks.

`with StreamSandbox() as upstream:` in a test, `serve(host, port)` in a process of its own.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable

from .centrifugo import CentrifugoSandbox
from .chatsdk import ChatSDKSandbox
from .imbachat import ImbaChatSandbox
from .imkit import IMKitSandbox
from .payload import bytes_sha256
from .performchat import PerformChatSandbox
from .standin import StandIn
from .stream import API_KEY, API_SECRET, StreamSandbox

__all__ = [
    "API_KEY",
    "API_SECRET",
    "CentrifugoSandbox",
    "ChatSDKSandbox",
    "IMKitSandbox",
    "ImbaChatSandbox",
    "PerformChatSandbox",
    "StreamSandbox",
    "bytes_sha256",
    "serve",
]

logger = logging.getLogger(__name__)
# A stand-in that runs for days must not keep every body it ever saw.
SERVED_JOURNAL = 1_000
SERVED: dict[str, Callable[..., StandIn]] = {
    "stream": StreamSandbox,
    "chatsdk": ChatSDKSandbox,
    "performchat": PerformChatSandbox,
    "imkit": IMKitSandbox,
    "imbachat": ImbaChatSandbox,
}


def serve(
    host: str = "127.0.0.1", port: int = 3001, *, exposed: bool = False, provider: str = "stream"
) -> None:
    """Run a provider's stand-in until SIGTERM or SIGINT; call it from the main thread.

    `exposed` lets it listen elsewhere than on loopback. Raises ValueError without it and where
    there is no stand-in of that name, OSError where the port is taken.
    """
    if provider not in SERVED:
        raise ValueError(f"there is no stand-in for {provider!r}, only for {', '.join(SERVED)}")

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    stand_in = SERVED[provider]
    with stand_in(port, host=host, exposed=exposed, journal_capacity=SERVED_JOURNAL) as sandbox:
        logger.info("%s stand-in listens", provider, extra={"url": sandbox.url})
        stop.wait()
