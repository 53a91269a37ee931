"""How stand-ins check credentials: keys in constant time, tokens by signature, HS256 only.

Times and other claims are each provider's own matter.
"""

import hmac
from collections.abc import Sequence
from typing import Any, cast

import jwt
from jwt.types import Options

CLAIMS = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
LAX = cast(Options, dict.fromkeys((f"verify_{claim}" for claim in CLAIMS), False))


def is_same(given: str, expected: str) -> bool:
    """Compare in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def read_token(token: str, secrets: Sequence[str]) -> dict[str, Any]:
    """Return the claims of a token that one of the secrets signed. Raises jwt.PyJWTError."""
    for secret in secrets:
        try:
            return jwt.decode(token, secret, algorithms=["HS256"], options=LAX)
        except jwt.InvalidSignatureError:
            continue
        except (RecursionError, UnicodeEncodeError) as error:
            # PyJWT lets these out: a header nested too deep, half of a surrogate pair.
            raise jwt.DecodeError("not a token") from error

    raise jwt.InvalidSignatureError("signature is not valid")
