"""The chat providers, a folder for each.

`SETTINGS` names the settings of each, `registry` what is made of them. They are two
tables because the server's first process reads settings only: what the second one
imports must be loaded after a worker has patched the standard library (decision 0006).
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
