"""What the guards of routes share: they check an API key or a user token, and count failures.

A good credential is always let in. Only those that are not ours are counted, and above the limit
the answer to them is 429 in place of 401.
"""

import hashlib

from chatproxy.errors import (
    TokenForged,
    TokenMalformed,
    TokenRejected,
    TokenUnknown,
    Unauthenticated,
)
from chatproxy.identity.records import Key, Kind
from chatproxy.web.current import context, directory, limiter, services
from chatproxy.web.parsing import BEARER, address, header

TOO_MANY = "Too many failed authentications. Try again later."


def key(text: str, kind: Kind, *, refused: str, claimed: str | None = None) -> Key:
    """Return the valid key that a caller presents; raise `Unauthenticated` with `refused`.

    `claimed` is the id of the key that the caller says it has.
    """
    found = directory().keys.find(text)

    if found is None or found.kind != kind:
        # Counted for the key that it was once or claims to be, else for the address: a caller
        # with a bad key then shuts out no other key.
        key_id = directory().keys.id_of(text)

        if claimed is not None and directory().keys.is_known(claimed):
            key_id = claimed

        count_failure(f"key {key_id}" if key_id else f"address {address()}")
        raise Unauthenticated(refused)

    context().notes["keyId"] = found.id
    return found


def bearer(*, missing: str) -> str:
    """Return the token in `Authorization: Bearer`; raise `Unauthenticated` with `missing`."""
    found = BEARER.fullmatch(header("Authorization") or "")

    if found is None:
        raise Unauthenticated(missing)

    return found[1]


def count_rejected(token: str, error: TokenRejected) -> None:
    """Count a token that was never ours; raise `TooManyRequests` if it comes too often."""
    # Each token has a count of its own. Counted by address, one client behind a gateway would use
    # up the count of all others, and those wait for a 401, not a 429, to get a new token. Guessing
    # is hopeless anyway. Expired and revoked tokens are not counted: they were good once.
    if isinstance(error, TokenMalformed | TokenForged | TokenUnknown):
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        count_failure(f"token {digest}")


def count_failure(subject: str) -> None:
    """Count a failed authentication; raise `TooManyRequests` above the limit."""
    settings = services().settings.limiter
    assert settings is not None  # noqa: S101 - it is there where the limiter is
    surface = context().surface
    limiter().spend(f"failures at {surface} of {subject}", settings.auth_failures, TOO_MANY)
