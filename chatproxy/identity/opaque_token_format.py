"""What an opaque token looks like that is made here: `it_….SIGNATURE`, a random name signed.

The directory keeps the name beside the digest. Whoever has the signing secret as well can
make the text again, to end the token at a server that can only be told its text.
"""

import hashlib
import secrets
from collections.abc import Sequence

from itsdangerous import Signer

from chatproxy.identity.key_format import digest_of
from chatproxy.identity.token_records import OpaqueToken

PREFIX = "it_"
NAME_BYTES = 24


class OpaqueTokenFormat:
    """Makes tokens. The first secret signs; texts signed with the others can be made again."""

    def __init__(self, signing_secrets: Sequence[str]) -> None:
        self.sign_with(signing_secrets)

    def sign_with(self, signing_secrets: Sequence[str]) -> None:
        """Use these secrets from now on."""
        self._signers = [
            Signer(secret, salt="chatproxy.bound-token", digest_method=hashlib.sha256)
            for secret in signing_secrets
        ]

    def make(self, expires: float) -> OpaqueToken:
        """Make a new token."""
        name = PREFIX + secrets.token_urlsafe(NAME_BYTES)
        return OpaqueToken(self._signers[0].sign(name).decode(), expires, name)

    def text_of(self, name: str, digest: str) -> str | None:
        """Return the text of a token by its name, None where its secret is not known any more.

        The digest tells which of the secrets signed it.
        """
        texts = (signer.sign(name).decode() for signer in self._signers)
        return next((text for text in texts if digest_of(text) == digest), None)
