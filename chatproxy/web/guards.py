"""Who may call: an API key or a user token, checked, and failures counted.

A good credential is always let in. What is counted are those that are not ours, and
what the count changes is the answer to them: 429 in place of 401.
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
from chatproxy.web.parsing import BEARER, header

TOO_MANY = "Too many failed authentications. Try again later."


def key(text: str, kind: Kind, *, refused: str, claimed: str | None = None) -> Key:
    """Return the key in force that a caller shows; raise `Unauthenticated`, saying `refused`.

    Failures are counted for the key that it once was, or claims to be, or else for the
    address that shows it: a caller with a bad key shuts out neither other keys nor good ones.
    """
    found = directory().keys.find(text)

    if found is None or found.kind != kind:
        once = directory().keys.id_of(text)

        if claimed is not None and directory().keys.is_known(claimed):
            once = claimed

        count_failure(f"key {once}" if once else f"address {address()}")
        raise Unauthenticated(refused)

    context().notes["keyId"] = found.id
    return found


def address() -> str | None:
    """Return the address of the connection on which the request came."""
    found: str | None = context().environ.get("REMOTE_ADDR")
    return found


def bearer(*, missing: str) -> str:
    """Return the token in `Authorization: Bearer`; raise `Unauthenticated`, saying `missing`."""
    found = BEARER.fullmatch(header("Authorization") or "")

    if found is None:
        raise Unauthenticated(missing)

    return found[1]


def count_rejected(token: str, error: TokenRejected) -> None:
    """Count a token that nobody here made; raise `TooManyRequests` where it comes too often.

    Each is counted for itself. By address, one caller behind a gateway would spend the
    count of all, whose clients take a 401, and no 429, as the sign to get a new token;
    and guessing another one is hopeless. What was good once is not counted.
    """
    if isinstance(error, TokenMalformed | TokenForged | TokenUnknown):
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        count_failure(f"token {digest}")


def count_failure(subject: str) -> None:
    """Count a failed authentication; raise `TooManyRequests` above the limit."""
    settings = services().settings.limiter
    assert settings is not None  # noqa: S101 - it is there where the limiter is
    surface = context().surface
    limiter().spend(f"failures at {surface} of {subject}", settings.auth_failures, TOO_MANY)
