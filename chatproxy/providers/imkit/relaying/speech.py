"""What a client says on a relayed socket.

Its sign-ins (the events `auth` and `auth2`, and credentials with which it enters a namespace) are
checked here before the server hears of them, and go on with our client key. Everything else is
the server's business and goes on as it came. The packets are those of Socket.IO 2 to 4: their
revisions 4 and 5 differ in nothing that matters here.

Source: https://socket.io/docs/v4/socket-io-protocol/, and the vendor's library for where it puts
what: `auth2` has the token, and an object with `CLIENT_KEY` and `Authorization`.
"""

import dataclasses
import json
import re
import secrets
from collections.abc import Callable
from typing import Any

from chatproxy.errors import CallerError, ChatproxyError
from chatproxy.formats import strictjson
from chatproxy.forwarding.headers import squeezed
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.relaying.opening import CLIENT_KEYS, TOKENS, CheckKey, Presented
from chatproxy.providers.imkit.sockets.dialogue import Dialogue
from chatproxy.providers.imkit.sockets.packets import Event

#: A packet of Socket.IO in a message of Engine.IO: type, attachments, namespace, id.
PACKET = re.compile(
    r"4(?P<kind>[0-6])(?:(?P<attachments>[0-9]{1,9})-)?"
    r"(?P<namespace>/[^,]*(?:,|\Z))?(?P<id>[0-9]{1,16})?(?P<content>[\s\S]*)"
)
#: The name of an event: the first element of a list.
NAME = re.compile(r'\s*\[\s*(?P<name>"(?:[^"\\]|\\[\s\S])*+")\s*[,\]]')

CONNECT, DISCONNECT, EVENTS = "0", "1", "25"
SIGN_IN = ("auth", "auth2")

#: Fields that only a platform shows.
PLATFORM_KEYS = frozenset({"apikey", "imapikey"})
CLIENT_ID = "imclientid"

#: Namespaces that a client is told to have left when its token ends.
MOST_NAMESPACES = 16


class NoSuchPacket(ValueError):
    """No client of Socket.IO sends this."""


@dataclasses.dataclass(frozen=True)
class Heard:
    """What becomes of a message: what goes on to the server, what back, None for nothing.

    `swallowed` are the binary messages behind it that belong to it and do not go on either.
    """

    onward: str | None
    back: str | None = None
    swallowed: int = 0


#: What stands for a token that is not good where its refusal cannot be answered here.
NO_TOKEN = f"no-token-{secrets.token_hex(16)}"


class Speech:
    """One client's. `check_key` and `sign_in` raise a `ChatproxyError` for what is not good.

    `sign_in` takes a token and the id of a device, which may be empty. `bound` is the client and
    its token, once it has signed in. Without `answers` nothing can be said to the client from here,
    and a sign-in that is not good goes on with a token that is nobody's: the server refuses it.
    """

    def __init__(
        self,
        sign_in: Callable[[str, str], Binding],
        check_key: CheckKey,
        client_key: str,
        bound: Binding | None = None,
        *,
        answers: bool = True,
    ) -> None:
        self._answers = answers
        self._sign_in = sign_in
        self._check_key = check_key
        self._client_key = client_key
        self._dialogue = Dialogue(sign_in)
        self._dialogue.bound = bound
        self._namespaces = {"": None}

    @property
    def bound(self) -> Binding | None:
        """The client and its token."""
        return self._dialogue.bound

    def goodbyes(self) -> list[str]:
        """Return the packets that tell a client not to come again by itself."""
        return [f"41{namespace}" for namespace in self._namespaces]

    @staticmethod
    def may_be_long(start: str) -> bool:
        """Say whether a message that is too long to be looked at whole may go on unseen.

        Raises `NoSuchPacket`.
        """
        packet = PACKET.match(start)

        if start[:1] != "4":
            return True

        if packet is None or packet["kind"] == CONNECT:
            return False

        return packet["kind"] not in EVENTS or _name(packet["content"]) not in (*SIGN_IN, "conf")

    def hear(self, text: str) -> Heard:
        """Say what becomes of a message; raise `NoSuchPacket`."""
        if text[:1] != "4":  # a packet of Engine.IO alone
            return Heard(text)

        packet = PACKET.fullmatch(text)

        if packet is None:
            raise NoSuchPacket("no packet of Socket.IO")

        if packet["kind"] == CONNECT:
            return self._enter(packet, text)

        if packet["kind"] == DISCONNECT:
            self._namespaces.pop(_front(_path(packet)), None)

        if packet["kind"] not in EVENTS or (name := _name(packet["content"])) not in (
            *SIGN_IN,
            "conf",
        ):
            return Heard(text)

        event = Event("/", packet["id"], name, _read(packet["content"])[1:])

        if name == "conf":
            # The server's answer counts. Here it is only noted in which form it wants answers.
            self._dialogue.answer(event)
            return Heard(text)

        return self._answer(packet, event)

    def _answer(self, packet: re.Match[str], event: Event) -> Heard:
        before = self._dialogue.bound
        head = event.arguments[1] if len(event.arguments) > 1 else None

        try:
            self._check_keys(head)
            answer = self._dialogue.answer(event)
        except ChatproxyError as error:
            answer = self._dialogue.refusal(error)

        bound = self._dialogue.bound
        front = packet["namespace"] or ""

        if bound is None or bound is before:
            swallowed = int(packet["attachments"] or 0)

            if not self._answers:
                in_vain = _written([event.name, NO_TOKEN])
                return Heard(f"42{front}{event.id or ''}{in_vain}", None, swallowed)

            ack = f"43{front}{event.id}{json.dumps([answer])}"
            return Heard(None, None if event.id is None else ack, swallowed)

        rewritten = [event.name, *self._rewritten(event.arguments, bound)]
        attachments = "" if packet["attachments"] is None else f"{packet['attachments']}-"
        start = f"4{packet['kind']}{attachments}{front}{event.id or ''}"
        return Heard(start + _written(rewritten))

    def _enter(self, packet: re.Match[str], text: str) -> Heard:
        path, _, query = _path(packet).partition("?")
        shown = Presented.in_query(query or None)
        content = _read(packet["content"]) if packet["content"].strip() else None

        if not isinstance(content, dict | None):
            raise NoSuchPacket("credentials that are no object")

        fields = content or {}
        tokens: list[Any] = [text for _, text in shown.tokens]
        tokens += [value for name, value in fields.items() if squeezed(name) in TOKENS]

        try:
            if shown.client_keys:  # of an old client's namespace, where none of the vendor's has it
                raise CallerError("Send the client key with the sign-in.")

            self._check_keys(fields)

            for token in tokens:
                self._enter_by(token)
        except ChatproxyError as error:
            if not self._answers:
                return Heard(f"40{_front(path)}{_written({'token': NO_TOKEN})}")

            return Heard(None, f"44{_front(path)}{json.dumps({'message': error.message})}")

        if len(self._namespaces) < MOST_NAMESPACES:
            self._namespaces[_front(path)] = None

        if content is None:
            return Heard(text)

        front = packet["namespace"] or ""
        return Heard(f"40{front}{_written(self._replaced(fields, self._dialogue.bound))}")

    def _enter_by(self, token: Any) -> None:
        if token is None:  # of a client that has none yet
            return

        # A server may take a list with a token in it for that token.
        if not isinstance(token, str):
            raise CallerError("The token must be a string.")

        self._dialogue.bound = self._sign_in(token, "")

    def _check_keys(self, head: Any) -> None:
        for name, value in head.items() if isinstance(head, dict) else ():
            if squeezed(name) in CLIENT_KEYS and value:
                self._check_key(str(value))

    def _rewritten(self, arguments: list[Any], bound: Binding) -> list[Any]:
        token, *rest = arguments
        bare = _bare(token)

        if rest and isinstance(rest[0], dict):
            rest[0] = self._replaced(rest[0], bound, bare)

        return [bare, *rest]

    def _replaced(
        self, fields: dict[str, Any], bound: Binding | None, token: str | None = None
    ) -> dict[str, Any]:
        found = {}

        for name, value in fields.items():
            plain = squeezed(name)

            if plain in CLIENT_KEYS:
                found[name] = self._client_key
            elif plain in TOKENS:
                found[name] = token if token is not None else _bare(value)
            elif plain == CLIENT_ID and bound is not None:
                found[name] = bound.user.external_id
            elif plain not in PLATFORM_KEYS:
                found[name] = value

        return found


def _path(packet: re.Match[str]) -> str:
    return (packet["namespace"] or "").removesuffix(",")


def _front(path: str) -> str:
    # The main namespace is named by nothing.
    return f"{path}," if path.strip("/") else ""


def _bare(token: Any) -> Any:
    # As in a header: some callers put a scheme before it.
    return re.sub(r"\A[Bb][Ee][Aa][Rr][Ee][Rr] +", "", token) if isinstance(token, str) else token


def _name(content: str) -> str:
    found = NAME.match(content)

    try:
        return str(json.loads(found["name"])) if found else _no_event()
    except ValueError as error:
        raise NoSuchPacket("no name of an event") from error


def _no_event() -> str:
    raise NoSuchPacket("no event")


def _read(content: str) -> Any:
    try:
        return strictjson.read(content.encode())
    except ValueError as error:
        raise NoSuchPacket("no JSON") from error


def _written(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half of a surrogate pair has no UTF-8 form. It came as an escape, and goes on as one.
    return text.encode("utf-8", "backslashreplace").decode()
