"""The request that opens a socket, or that is a part of one: the credentials in it."""

import dataclasses
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, quote

from chatproxy.errors import CallerError
from chatproxy.forwarding.credentials import plain_name
from chatproxy.forwarding.headers import squeezed
from chatproxy.identity.token_records import Binding

#: Names under which a token or a client key comes, as `squeezed` writes them. The vendor's library
#: has the two in upper case in what goes with its `auth2` event.
TOKENS = frozenset({"token", "imauthorization", "authorization"})
CLIENT_KEYS = frozenset({"clientkey", "imclientkey"})

#: An escape that is none would be read in another way by the server.
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

TWO_TOKENS = "The request holds different tokens. Send one."


@dataclasses.dataclass(frozen=True)
class Presented:
    """What the query of a request shows: names as they came, with what stands there."""

    tokens: tuple[tuple[str, str], ...] = dataclasses.field(default=(), repr=False)
    client_keys: tuple[tuple[str, str], ...] = dataclasses.field(default=(), repr=False)

    @classmethod
    def in_query(cls, query: str | None) -> "Presented":
        """Find them in a raw query; raise `CallerError` where servers could read it differently."""
        if query is None:
            return cls()

        if BAD_ESCAPE.search(query):
            raise CallerError("The query holds a `%` that begins no escape.")

        pairs = [
            (name, value)
            for name, value in parse_qsl(query, keep_blank_values=True)
            if squeezed(plain_name(name)) in TOKENS | CLIENT_KEYS
        ]
        return cls(
            tuple(pair for pair in pairs if squeezed(plain_name(pair[0])) in TOKENS),
            tuple(pair for pair in pairs if squeezed(plain_name(pair[0])) in CLIENT_KEYS),
        )

    @staticmethod
    def only(name: str, query: str | None) -> str | None:
        """Return the value of a parameter, None where it is absent; raise `CallerError` for two."""
        pairs = parse_qsl(query or "", keep_blank_values=True)
        found = [value for one, value in pairs if one == name]

        if len(found) > 1:
            raise CallerError(f"The query holds `{name}` more than once.")

        return found[0] if found else None

    def reserved(self) -> frozenset[str]:
        """Return the names that are taken out of the query, as `plain_name` writes them."""
        return frozenset(plain_name(name) for name, _ in (*self.tokens, *self.client_keys))

    def replaced(self, token: str | None, client_key: str) -> list[tuple[str, str]]:
        """Return what is put in their places, encoded."""
        tokens = [] if token is None else [(name, token) for name, _ in self.tokens]
        ours = [(name, client_key) for name, _ in self.client_keys]
        return [(quote(name, safe=""), quote(text, safe="")) for name, text in (*tokens, *ours)]


def only_one(texts: list[str]) -> str | None:
    """Return the one token that a request shows, if it does; raise `CallerError` for two."""
    different = set(texts)

    if len(different) > 1:
        raise CallerError(TWO_TOKENS)

    return next(iter(different), None)


#: Checks a client key, and raises a `ChatproxyError`.
CheckKey = Callable[[str], object]

#: Checks a token, and returns its owner; raises a `ChatproxyError`.
CheckToken = Callable[[str], Binding]
