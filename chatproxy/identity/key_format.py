"""What API keys look like: made, recognised, digested.

A key is `pk_….sk_….SIGNATURE`: the id that names it, a random text, and our signature of
both. Callers that send two fields send it in halves, `pk_…` and `sk_….SIGNATURE`. A client
key is `ck_….SIGNATURE`; it is public and only names an app.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence

from itsdangerous import BadSignature, Signer

from chatproxy.identity.records import Kind

PREFIXES: dict[Kind, str] = {"platform": "pk_", "client": "ck_"}
SECRET_PREFIX = "sk_"  # noqa: S105 - it marks one
SECRET_BYTES = 32
ID_BYTES = 12

#: Characters of an imported key at most. Anything longer is refused unread.
LONGEST_KEY = 1024


#: A platform key, whole or its secret half, within any text.
OUR_KEYS = re.compile(rf"{SECRET_PREFIX}[A-Za-z0-9_-]{{{(SECRET_BYTES * 4 + 2) // 3}}}\.")


class KeyFormat:
    """Makes keys and recognises its own. The first secret signs, all of them verify."""

    def __init__(self, signing_secrets: Sequence[str]) -> None:
        self.sign_with(signing_secrets)

    def sign_with(self, signing_secrets: Sequence[str]) -> None:
        """Use these secrets from now on."""
        # itsdangerous signs with the last of its keys, our settings name the newest first.
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
        """Return the id in a key that we signed, None for any other text.

        A forged key is refused here, without a question to the database. The length comes
        first, so that a long text is not even hashed.
        """
        if len(text) > LONGEST_KEY:
            return None

        try:
            unsigned = self._signer.unsign(text.encode("utf-8", "surrogatepass"))
            return unsigned.decode().partition(".")[0]
        except (BadSignature, UnicodeError):
            return None


def new_key_id(kind: Kind) -> str:
    """Make up an id that names one key."""
    return PREFIXES[kind] + secrets.token_hex(ID_BYTES)


def digest_of(text: str) -> str:
    """Return what is stored of a key or a token.

    One round of SHA-256 is enough for what was made here: it is random, so there is no list
    of likely texts to try, as there is for passwords.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
