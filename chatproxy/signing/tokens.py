"""Minting HS256 tokens, and reading them back."""

import base64
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import jwt

from chatproxy.errors import TokenExpired, TokenForged, TokenMalformed
from chatproxy.formats import strictjson
from chatproxy.formats.compact_jwt import LONGEST_TOKEN, is_compact_jwt

#: Header parameters that a token may have (RFC 7515 section 4.1). One that names a key, or
#: asks for an extension, is refused whoever signed it; `kid` is not looked at.
HEADER = frozenset({"alg", "typ", "kid"})

#: Seconds by which another machine's clock may be ahead of ours.
AHEAD = 60

#: Characters that a user's id, an app's or a token's may have.
LONGEST_TEXT = 255

#: Epoch seconds above which a time is a mistake, or milliseconds.
LATEST = 2**40


def mint(claims: Mapping[str, Any], key: str) -> str:
    """Sign the claims, in their order, as a compact HS256 JWT.

    A short key is a matter for the start, which warns once; here it is used,
    because the provider chose it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        return jwt.encode(dict(claims), key, algorithm="HS256")


def read(
    token: str, keys: Sequence[str], now: float, *, texts: Sequence[str], grace: float = 0
) -> dict[str, Any]:
    """Return the claims of a token that one of the keys signed and that is in its time.

    `texts` names claims that must be there and be texts, as `jti` must where it is there;
    `exp` and `iat` must be times in epoch seconds. An end up to `grace` seconds ago is
    let pass. Raises `TokenMalformed`, `TokenForged`, `TokenExpired` (RFC 7519 section 7.2; RFC 8725
    section 3 for what is refused beyond it).
    """
    if len(token) > LONGEST_TOKEN or not is_compact_jwt(token):
        raise TokenMalformed("Invalid token")

    _check_header(token)
    _decoded(token.rpartition(".")[2])
    claims = _object(_payload(token, keys))

    if not all(_is_plain_text(claims.get(name)) for name in texts):
        raise TokenMalformed("Invalid token", detail="a claim is missing or no plain text")

    if "jti" in claims and not _is_plain_text(claims["jti"]):
        raise TokenMalformed("Invalid token", detail="its id is no plain text")

    expires, issued = _time(claims.get("exp")), _time(claims.get("iat"))
    begins = _time(claims.get("nbf", 0))

    if max(issued, begins) > now + AHEAD:
        raise TokenMalformed("Invalid token", detail="it is from the future")

    if now >= expires + grace:
        raise TokenExpired("Token expired")

    return claims


def _check_header(token: str) -> None:
    """Decide the algorithm here: what a token says of itself is the caller's word."""
    header = _object(_decoded(token.partition(".")[0]))

    if header.get("alg") != "HS256" or not HEADER.issuperset(header):
        raise TokenMalformed("Invalid token", detail="its header is not one of ours")


def _payload(token: str, keys: Sequence[str]) -> bytes:
    """Return what was signed; raise `TokenForged` where none of the keys did it."""
    signing = jwt.PyJWS(options={"enforce_minimum_key_length": False})

    for key in keys:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
                decoded = signing.decode_complete(token, key, algorithms=["HS256"])
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError as error:
            raise TokenMalformed("Invalid token", detail=type(error).__name__) from error

        payload: bytes = decoded["payload"]
        return payload

    raise TokenForged("Invalid token signature")


def _decoded(part: str) -> bytes:
    """Decode one part; refuse a second spelling of the same bytes (RFC 4648 section 3.5)."""
    try:
        content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:  # no text in base64 has so many characters
        raise TokenMalformed("Invalid token", detail="it is no base64url") from error

    if base64.urlsafe_b64encode(content).rstrip(b"=") != part.encode():
        raise TokenMalformed("Invalid token", detail="its base64url is not the usual one")

    return content


def _object(content: bytes) -> dict[str, Any]:
    """Read a JSON object whose names are each there once (RFC 7519 section 4)."""
    try:
        document = strictjson.read(content)
    except ValueError as error:
        raise TokenMalformed("Invalid token", detail="it holds no readable JSON") from error

    if not isinstance(document, dict):
        raise TokenMalformed("Invalid token", detail="it holds no JSON object")

    return document


def _is_plain_text(value: Any) -> bool:
    """Say whether a claim is a text that a directory could hold."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        return False

    return "\0" not in value and not any("\ud800" <= one <= "\udfff" for one in value)


def _time(value: Any) -> float:
    """Return a NumericDate (RFC 7519 section 2)."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)

    if not is_number or not 0 <= value < LATEST:  # false for NaN as well
        raise TokenMalformed("Invalid token", detail="a time is missing or is no time")

    return float(value)
