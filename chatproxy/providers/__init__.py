"""The registry of chat providers. A new one is a folder here and a line below."""

from chatproxy.providers.base import ProviderKind
from chatproxy.providers.chatsdk.settings import ChatSDKSettings
from chatproxy.providers.imbachat.settings import ImbaChatSettings
from chatproxy.providers.imkit.settings import IMKitSettings
from chatproxy.providers.performchat.settings import PerformChatSettings
from chatproxy.providers.stream.settings import StreamSettings

#: The provider at the root of the URL space, on unless `PROVIDERS` says otherwise.
DEFAULT = "stream"

REGISTRY = {
    "stream": ProviderKind(StreamSettings, "chatproxy.providers.stream.provider:Stream"),
    "chatsdk": ProviderKind(
        ChatSDKSettings,
        "chatproxy.providers.chatsdk.provider:ChatSDK",
        surface="chatproxy.providers.chatsdk.endpoints:blueprints",
        knows_users=True,
    ),
    "performchat": ProviderKind(
        PerformChatSettings,
        "chatproxy.providers.performchat.provider:PerformChat",
        surface="chatproxy.providers.performchat.endpoints:blueprints",
        knows_users=True,
    ),
    "imkit": ProviderKind(
        IMKitSettings,
        "chatproxy.providers.imkit.provider:IMKit",
        surface="chatproxy.providers.imkit.endpoints:blueprints",
        knows_users=True,
    ),
    "imbachat": ProviderKind(
        ImbaChatSettings,
        "chatproxy.providers.imbachat.provider:ImbaChat",
        surface="chatproxy.providers.imbachat.endpoints:blueprints",
        knows_users=True,
    ),
}
