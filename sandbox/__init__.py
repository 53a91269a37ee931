"""Stand-ins for the providers' servers, for a first run without an account, examples, benchmarks.

`with StreamSandbox() as server:` in a program, `python -m sandbox serve` in a process of its own.
They are strict about what they are sent. The tests' upstreams, which misbehave on demand and keep
a journal, are built upon them.
"""

import logging
import signal
import threading
from collections.abc import Callable

from .centrifugo import CentrifugoSandbox
from .chatsdk import ChatSDKSandbox
from .imbachat import ImbaChatSandbox
from .imkit import IMKitSandbox
from .performchat import PerformChatSandbox
from .server import Server
from .stream import API_KEY, API_SECRET, StreamSandbox

__all__ = [
    "API_KEY",
    "API_SECRET",
    "SERVED",
    "CentrifugoSandbox",
    "ChatSDKSandbox",
    "IMKitSandbox",
    "ImbaChatSandbox",
    "PerformChatSandbox",
    "StreamSandbox",
    "serve",
]

logger = logging.getLogger(__name__)
SERVED: dict[str, Callable[..., Server]] = {
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

    with SERVED[provider](port, host=host, exposed=exposed) as server:
        logger.info("%s stand-in listens", provider, extra={"url": server.url})
        stop.wait()
