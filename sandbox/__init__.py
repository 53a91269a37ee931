"""Stand-ins for the providers' servers, for a first run without an account, examples, benchmarks.

`with StreamSandbox() as server:` in a program, `python -m sandbox serve` in a process of its own.
They are strict about what they are sent. The tests' upstreams, which misbehave on demand and keep
a journal, are built upon them.
"""

from collections.abc import Callable

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
    "ChatSDKSandbox",
    "IMKitSandbox",
    "ImbaChatSandbox",
    "PerformChatSandbox",
    "StreamSandbox",
]

SERVED: dict[str, Callable[..., Server]] = {
    "stream": StreamSandbox,
    "chatsdk": ChatSDKSandbox,
    "performchat": PerformChatSandbox,
    "imkit": IMKitSandbox,
    "imbachat": ImbaChatSandbox,
}
