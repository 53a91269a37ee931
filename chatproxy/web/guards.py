"""What the guards of routes share: they check an API key or a user token, and count failures.

A good credential is always let in. Only those that are not ours are counted, and above the limit
the answer to them is 429 in place of 401.
"""

import hashlib
import ipaddress

from chatproxy.errors import (
    TokenForged,
    TokenMalformed,
    TokenRejected,
    TokenUnknown,
    Unauthenticated,
)
from chatproxy.identity.records import Key, Kind, User
from chatproxy.web.current import context, directory, limiter, services
from chatproxy.web.parsing import BEARER, address, header

TOO_MANY = "Too many failed authentications. Try again later."


def key(text: str, kind: Kind, *, refused: str, claimed: str | None = None) -> Key:
    """Return the valid key that a caller presents; raise `Unauthenticated` with `refused`.

    `claimed` is the id of the key that the caller says it has.
    """
    return _accepted(directory().keys.find(text), text, kind, refused, claimed)


def key_and_user(text: str, kind: Kind, user_id: str, *, refused: str) -> tuple[Key, User | None]:
    """Return the key as `key` does, and the user whom its app knows by this id."""
    found, user = directory().keys.find_with_user(text, user_id)
    return _accepted(found, text, kind, refused), user


def _accepted(
    found: Key | None, text: str, kind: Kind, refused: str, claimed: str | None = None
) -> Key:
    if found is None or found.kind != kind:
        # Counted for the key that it was once or claims to be, else for the address: a caller
        # with a bad key then shuts out no other key.
        key_id = directory().keys.id_of(text)

        if claimed is not None and directory().keys.is_known(claimed):
            key_id = claimed

        if key_id:
            count_failure(f"key {key_id}")
        else:
            count_failure_of_address()

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
    # is hopeless anyway. Expired and revoked tokens are not counted: they were good once. Whoever
    # shows a million of them makes the limiter forget the counts of older ones, which then are
    # 401 again instead of 429, and costs it no more memory.
    if isinstance(error, TokenMalformed | TokenForged | TokenUnknown):
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        count_failure(f"token {digest}", made_up=True)


def count_failure_of_address(surface: str = "") -> None:
    """Count a credential that tells nothing of its owner; raise `TooManyRequests`."""
    count_failure(f"address {network_of(address() or '')}", surface, made_up=True)


def count_failure(subject: str, surface: str = "", *, made_up: bool = False) -> None:
    """Count a failed authentication; raise `TooManyRequests` above the limit.

    `surface` is where the credential is for, absent the request's own. `made_up` as in
    `Limiter.hit`.
    """
    settings = services().settings.limiter
    assert settings is not None  # noqa: S101 - it is there where the limiter is
    subject = f"failures at {surface or context().surface} of {subject}"
    limiter().spend(subject, settings.auth_failures, TOO_MANY, made_up=made_up, limit="failures")


def network_of(text: str) -> str:
    """Return the address, of IPv6 the /64: one host has all the 2^64 of it (RFC 4291, RFC 7721)."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:  # a Unix socket's caller has none
        return text

    if isinstance(found, ipaddress.IPv4Address):
        return str(found)

    # A listener for both shows an IPv4 caller as ::ffff:a.b.c.d, where a /64 would be everybody.
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
