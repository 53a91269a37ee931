"""The texts of API keys: made, recognised, digested.

A key is `pk_….sk_….SIGNATURE`: the id that names it, a random text, and our
signature of both. Its two halves, `pk_…` and `sk_….SIGNATURE`, are the same key for
callers that send two fields. A client key is `ck_….SIGNATURE`; it is public and only
names an app. Only digests are kept.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Literal

from itsdangerous import BadSignature, Signer

Kind = Literal["platform", "client"]

PREFIXES: dict[Kind, str] = {"platform": "pk_", "client": "ck_"}
SECRET_PREFIX = "sk_"  # noqa: S105 - it marks one
SECRET_BYTES = 32
ID_BYTES = 12
LONGEST_KEY = 1024


class KeySigner:
    """Signs keys and recognises them without a look-up. The first secret signs, all verify."""

    def __init__(self, signing_secrets: Sequence[str]) -> None:
        # itsdangerous wants the newest last.
        self._signer = Signer(
            list(reversed(signing_secrets)), salt="chatproxy.api-key", digest_method=hashlib.sha256
        )

    def make(self, kind: Kind) -> tuple[str, str]:
        """Return the id and the text of a new key."""
        key_id = new_key_id(kind)
        secret = f".{SECRET_PREFIX}{secrets.token_urlsafe(SECRET_BYTES)}"
        unsigned = key_id + secret if kind == "platform" else key_id
        return key_id, self._signer.sign(unsigned).decode()

    def id_of(self, text: str) -> str | None:
        """Return the id in a key that we signed, None for any other text."""
        try:
            return (
                self._signer.unsign(text.encode("utf-8", "surrogatepass"))
                .decode()
                .partition(".")[0]
            )
        except (BadSignature, UnicodeError):
            return None


def new_key_id(kind: Kind) -> str:
    """Make up an id that names one key."""
    return PREFIXES[kind] + secrets.token_hex(ID_BYTES)


def digest_of(text: str) -> str:
    """Return what is kept of a key. It is random, so one round of SHA-256 is enough."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
