"""The tests' upstreams: the stand-ins, stricter, with a journal, misbehaving on demand."""

from sandbox.centrifugo import CentrifugoSandbox
from sandbox.chatsdk import ChatSDKSandbox
from sandbox.imbachat import ImbaChatSandbox
from sandbox.imkit import IMKitSandbox
from sandbox.performchat import PerformChatSandbox
from sandbox.stream import StreamSandbox

from .journal import Received as Received
from .leaks import Leaks
from .payload import blocks as blocks
from .payload import bytes_sha256 as bytes_sha256
from .server import Upstream


class StreamUpstream(Upstream, StreamSandbox):
    """Takes any header: what goes out to Stream is compared whole by the tests themselves."""


class ChatSDKUpstream(Upstream, ChatSDKSandbox):
    """Has its probes below `/api` too, where the sidecar forwards under the same path."""

    leaks = Leaks(("x-api-key", "authorization"))
    probe_folders = ("", "/api")


class PerformChatUpstream(Upstream, PerformChatSandbox):
    leaks = Leaks(("authorization",))


class ImbaChatUpstream(Upstream, ImbaChatSandbox):
    leaks = Leaks(("authorization",))


class CentrifugoUpstream(Upstream, CentrifugoSandbox):
    leaks = Leaks(("x-api-key", "authorization"))


class IMKitUpstream(Upstream, IMKitSandbox):
    """`Authorization` may come, however often: the server has another header for the token."""

    leaks = Leaks(
        ("im-api-key", "im-client-key", "im-authorization", "im-client-id", "im-device-id"),
        # Old callers are still about. A sidecar takes these from them and must not hand them on.
        never=("api-key", "client-key"),
        apart=("im-api-key", ("im-client-key", "im-authorization")),
    )
