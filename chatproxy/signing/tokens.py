"""Signing HS256 tokens, and verifying them."""

import base64
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from chatproxy.errors import TokenExpired, TokenForged, TokenMalformed
from chatproxy.formats import strictjson
from chatproxy.formats.compact_jwt import LONGEST_TOKEN, is_compact_jwt
from chatproxy.formats.storable import is_storable
from chatproxy.left_out import left_out

# 9 MB, where somebody has installed it: it is for signatures with two keys.
with left_out("cryptography"):
    import jwt
    from jwt.algorithms import HMACAlgorithm

#: Header parameters that a token may have (RFC 7515 section 4.1). Those that bring or locate a key
#: (`jwk`, `jku`, `x5u`) and `crit` are refused, whoever signed it. `kid` is ignored.
HEADER = frozenset({"alg", "typ", "kid"})

#: Seconds by which another machine's clock may be ahead of ours.
LEEWAY = 60

#: Characters that a user's id, an app's or a token's may have.
LONGEST_TEXT = 255

#: A time above this is a mistake: milliseconds, most likely.
LATEST = 2**40

#: Keys that are remembered: those of all providers, while they are rotated.
MOST_KEYS = 32


class _HS256(HMACAlgorithm):
    """The library's HS256, with which a key is looked at once and not for each token."""

    def __init__(self) -> None:
        super().__init__(HMACAlgorithm.SHA256)
        # Whether it may be a certificate or a JWK by mistake, which takes longer than a signature.
        self._prepared = functools.lru_cache(MOST_KEYS)(super().prepare_key)

    def prepare_key(self, key: str | bytes) -> bytes:
        """Return the key's bytes; raise `jwt.InvalidKeyError`."""
        return self._prepared(key)

    def check_key_length(self, key: bytes) -> None:  # noqa: ARG002
        """Take a short key: the provider chose it, and the start has warned of it once."""


def _with_hs256_only() -> jwt.PyJWS:
    signing = jwt.PyJWS(algorithms=[])
    signing.register_algorithm("HS256", _HS256())
    return signing


_SIGNING = _with_hs256_only()
_json = json.JSONEncoder(separators=(",", ":")).encode


def mint(claims: Mapping[str, Any], key: str) -> str:
    """Sign the claims, in their order, as a compact HS256 JWT."""
    return _SIGNING.encode(_json(dict(claims)).encode(), key, "HS256")


def read(
    token: str, keys: Sequence[str], now: float, *, texts: Sequence[str], grace: float = 0
) -> dict[str, Any]:
    """Verify a token against the keys and the time; return its claims (RFC 7519 section 7.2).

    `texts` names claims that have to be non-empty texts, as `jti` has to be if present; `exp` and
    `iat` are required. The token may have expired up to `grace` seconds ago. Raises
    `TokenMalformed`, `TokenForged`, `TokenExpired`.
    """
    # More is refused than PyJWT refuses by itself: see RFC 8725 section 3.
    if len(token) > LONGEST_TOKEN or not is_compact_jwt(token):
        raise TokenMalformed("Invalid token")

    _check_header(token)
    _decode(token.rpartition(".")[2])
    # No claim is read before the signature is verified.
    claims = _read_object(_verified_payload(token, keys))

    if not all(is_plain_text(claims.get(name)) for name in texts):
        raise TokenMalformed("Invalid token", detail="a claim is missing or no plain text")

    if "jti" in claims and not is_plain_text(claims["jti"]):
        raise TokenMalformed("Invalid token", detail="its id is no plain text")

    expires, issued = _numeric_date(claims.get("exp")), _numeric_date(claims.get("iat"))
    begins = _numeric_date(claims.get("nbf", 0))

    if max(issued, begins) > now + LEEWAY:
        raise TokenMalformed("Invalid token", detail="it is from the future")

    if now >= expires + grace:
        raise TokenExpired("Token expired")

    return claims


def signed_claims(token: str, key: str) -> dict[str, Any] | None:
    """Return a token's claims if this key signed it, else None. Its times are not looked at."""
    if len(token) > LONGEST_TOKEN or not is_compact_jwt(token):
        return None

    try:
        _check_header(token)
        _decode(token.rpartition(".")[2])
        return _read_object(_verified_payload(token, [key]))
    except (TokenMalformed, TokenForged):
        return None


def unverified(token: str) -> dict[str, Any] | None:
    """Return what a token says, whoever made it; None where it says nothing."""
    if len(token) > LONGEST_TOKEN or not is_compact_jwt(token):
        return None

    try:
        return _read_object(_decode(token.split(".")[1]))
    except TokenMalformed:
        return None


def check_times(claims: Mapping[str, Any], now: float) -> None:
    """Raise `TokenExpired` or `TokenMalformed` for claims of which none is required."""
    issued = _numeric_date(claims.get("iat", 0))

    if max(issued, _numeric_date(claims.get("nbf", 0))) > now + LEEWAY:
        raise TokenMalformed("Invalid token", detail="it is from the future")

    if "exp" in claims and now >= _numeric_date(claims["exp"]):
        raise TokenExpired("Token expired")


def is_plain_text(value: Any) -> bool:
    """Say whether a claim can be the id of somebody or something."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and is_storable(value)


def _check_header(token: str) -> None:
    # The algorithm is fixed, not the token's choice (RFC 8725 section 3.1): it might say `none`.
    header = _read_object(_decode(token.partition(".")[0]))

    if header.get("alg") != "HS256" or not HEADER.issuperset(header):
        raise TokenMalformed("Invalid token", detail="its header is not one of ours")


def _verified_payload(token: str, keys: Sequence[str]) -> bytes:
    # During a rotation several keys are valid: the first signs, all verify.
    for key in keys:
        try:
            decoded = _SIGNING.decode_complete(token, key, algorithms=["HS256"])
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError as error:
            raise TokenMalformed("Invalid token", detail=type(error).__name__) from error

        payload: bytes = decoded["payload"]
        return payload

    raise TokenForged("Invalid token signature")


def _decode(part: str) -> bytes:
    try:
        content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:  # a length that base64 never has
        raise TokenMalformed("Invalid token", detail="it is no base64url") from error

    # The last character may have bits that no byte uses (RFC 4648 section 3.5). With any value
    # accepted there, one token would have several spellings.
    if base64.urlsafe_b64encode(content).rstrip(b"=") != part.encode():
        raise TokenMalformed("Invalid token", detail="its base64url is not the usual one")

    return content


def _read_object(content: bytes) -> dict[str, Any]:
    # Strictly: RFC 7519 section 4 lets a parser refuse a claim that is there twice.
    try:
        document = strictjson.read(content)
    except ValueError as error:
        raise TokenMalformed("Invalid token", detail="it holds no readable JSON") from error

    if not isinstance(document, dict):
        raise TokenMalformed("Invalid token", detail="it holds no JSON object")

    return document


def _numeric_date(value: Any) -> float:
    # RFC 7519 section 2. To Python `true` is an int as well.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)

    if not is_number or not 0 <= value < LATEST:  # false for NaN as well
        raise TokenMalformed("Invalid token", detail="a time is missing or is no time")

    return float(value)
