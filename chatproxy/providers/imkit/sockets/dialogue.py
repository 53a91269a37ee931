"""What one client says of itself, and what it is told.

Source: the vendor's page on the socket's connection. `auth` is the event of its guide, `auth2`
the name of today: a token, and an object that may name the device.
"""

import base64
import json
import logging
import traceback
from collections.abc import Callable
from typing import Any

from chatproxy.errors import CallerError, ChatproxyError, InvalidBody, Issue, NotServed
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.errors import said
from chatproxy.providers.imkit.shapes import client_of, envelope
from chatproxy.providers.imkit.sockets.packets import Event

log = logging.getLogger(__name__)

ENCODINGS = ("json", "base64")
NO_CHAT = "This socket authenticates. Chat events are at the IMKit server."
INTERNAL = "Something went wrong."

#: Returns whose token it is, seen on the device of this id, which may be empty; raises a
#: `ChatproxyError`.
Authenticate = Callable[[str, str], Binding]


class Dialogue:
    """The answers to one client. `bound` is who it is, and by which token, once that is known."""

    def __init__(self, authenticate: Authenticate) -> None:
        self.bound: Binding | None = None
        self._authenticate = authenticate
        self._encoding = ENCODINGS[0]

    def answer(self, event: Event) -> Any:
        """Return what the client is told; a failure leaves everything as it was."""
        try:
            told = self._served(event)
        except ChatproxyError as error:
            told = said(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client waits for an answer
            _log_unexpected(error)
            told = said(ChatproxyError(INTERNAL))

        # From the next one on: until this one arrives the client knows of no other encoding.
        return told if event.name == "conf" else self._encoded(told)

    def _served(self, event: Event) -> dict[str, Any]:
        if event.name == "conf":
            return envelope(self._configured(event.arguments))

        if event.name in ("auth", "auth2"):
            return envelope(self._authenticated(event.arguments))

        raise NotServed(NO_CHAT)

    def _configured(self, arguments: list[Any]) -> dict[str, Any]:
        wanted = arguments[0] if arguments else None
        wanted = {} if wanted is None else wanted
        encoding = wanted.get("encoding", ENCODINGS[0]) if isinstance(wanted, dict) else None

        if encoding not in ENCODINGS:
            raise CallerError("encoding: only base64 is known here, and none.")

        self._encoding = str(encoding)
        return {"encoding": encoding}

    def _authenticated(self, arguments: list[Any]) -> dict[str, Any]:
        if not arguments:
            raise InvalidBody([Issue(("token",), "Required", "required")])

        token, extra = (*arguments, None)[:2]

        if not isinstance(token, str):
            raise InvalidBody([Issue(("token",), "Must be a string.")])

        device_id = extra.get("deviceId", "") if isinstance(extra, dict) else ""

        if not isinstance(device_id, str):
            raise InvalidBody([Issue(("deviceId",), "Must be a string.")])

        self.bound = self._authenticate(token, device_id)
        return {"client": client_of(self.bound.user)}

    def _encoded(self, told: dict[str, Any]) -> Any:
        if self._encoding != "base64":
            return told

        return base64.b64encode(json.dumps(told).encode()).decode()


def _log_unexpected(error: Exception) -> None:
    """Log where it happened. What it says may be what the client said."""
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error(
        "unexpected failure", extra={"error": {"type": type(error).__name__, "stackTrace": where}}
    )
