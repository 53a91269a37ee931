"""One client's events, and the answers to them.

Source: the vendor's page on the socket's connection. The guide names the event `auth`, today's
clients send `auth2`. Both carry a token, and an object that may name the device.
"""

import base64
import json
import logging
import traceback
from collections.abc import Callable
from typing import Any

from chatproxy.errors import CallerError, ChatproxyError, InvalidBody, Issue, NotServed
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.errors import error_envelope
from chatproxy.providers.imkit.shapes import client_of, envelope
from chatproxy.providers.imkit.sockets.packets import Event

log = logging.getLogger(__name__)

ENCODINGS = ("json", "base64")
NO_CHAT = "This socket authenticates. Chat events are at the IMKit server."
INTERNAL = "Something went wrong."

#: Takes a token and the id of a device, which may be empty, and returns the token's owner.
#: Raises a `ChatproxyError`.
Authenticate = Callable[[str, str], Binding]


class Dialogue:
    """The conversation with one client. `bound` is its user and token, once it has signed in."""

    def __init__(self, authenticate: Authenticate) -> None:
        self.bound: Binding | None = None
        self._authenticate = authenticate
        self._encoding = ENCODINGS[0]

    def answer(self, event: Event) -> Any:
        """Return the answer to an event. A failure leaves everything as it was."""
        try:
            answer = self._handle(event)
        except ChatproxyError as error:
            answer = error_envelope(error)
        except Exception as error:  # noqa: BLE001 - the client waits for an answer
            log_unexpected(error)
            answer = error_envelope(ChatproxyError(INTERNAL))

        # The encoding changes from the next answer on: the client reads this one as plain JSON.
        return answer if event.name == "conf" else self._encode(answer)

    def refusal(self, error: ChatproxyError) -> Any:
        """Return the answer to an event that is refused."""
        return self._encode(error_envelope(error))

    def _handle(self, event: Event) -> dict[str, Any]:
        if event.name == "conf":
            return envelope(self._configure(event.arguments))

        if event.name in ("auth", "auth2"):
            return envelope(self._sign_in(event.arguments))

        raise NotServed(NO_CHAT)

    def _configure(self, arguments: list[Any]) -> dict[str, Any]:
        options = arguments[0] if arguments else None
        options = {} if options is None else options
        encoding = options.get("encoding", ENCODINGS[0]) if isinstance(options, dict) else None

        if encoding not in ENCODINGS:
            raise CallerError("encoding: only base64 is known here, and none.")

        self._encoding = str(encoding)
        return {"encoding": encoding}

    def _sign_in(self, arguments: list[Any]) -> dict[str, Any]:
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

    def _encode(self, answer: dict[str, Any]) -> Any:
        if self._encoding != "base64":
            return answer

        return base64.b64encode(json.dumps(answer).encode()).decode()


def log_unexpected(error: Exception) -> None:
    """Log where something has failed on a socket."""
    # Only where it happened: the text of the exception may contain the client's token.
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error(
        "unexpected failure", extra={"error": {"type": type(error).__name__, "stackTrace": where}}
    )
