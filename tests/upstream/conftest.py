"""The same fixtures as for the stand-ins: an upstream of its own for each test."""

from tests.sandbox.chatsdk.conftest import chat, chatsdk
from tests.sandbox.conftest import client, room, stand_in
from tests.sandbox.imkit.conftest import caller, imkit

__all__ = ["caller", "chat", "chatsdk", "client", "imkit", "room", "stand_in"]
