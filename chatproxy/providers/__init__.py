"""The chat providers, one folder each.

`SETTINGS` has their settings classes, `registry` their classes and routes. There are two
tables because the server's first process may read settings only: the rest must be imported
after a worker has patched the standard library (decision 0006).
"""

from collections.abc import Mapping

from chatproxy.providers.chatsdk.settings import ChatSDKSettings
from chatproxy.providers.imbachat.settings import ImbaChatSettings
from chatproxy.providers.imkit.settings import IMKitSettings
from chatproxy.providers.performchat.settings import PerformChatSettings
from chatproxy.providers.stream.settings import StreamSettings
from chatproxy.settings.variables import ProviderSection

SETTINGS: Mapping[str, type[ProviderSection]] = {
    "stream": StreamSettings,
    "chatsdk": ChatSDKSettings,
    "performchat": PerformChatSettings,
    "imkit": IMKitSettings,
    "imbachat": ImbaChatSettings,
}
