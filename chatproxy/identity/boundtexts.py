"""The texts of tokens that are bound: somebody's own, or made here.

One made here is `it_….SIGNATURE`, a random name and our signature of it. The directory keeps
the name beside the digest, so that whoever has the signing secret too can have the text
again, to end the token at a server that finds it by its text only.
"""

import dataclasses
import hashlib
import secrets
from collections.abc import Sequence

from itsdangerous import Signer

from chatproxy.identity.keytexts import digest_of

PREFIX = "it_"
NAME_BYTES = 24


@dataclasses.dataclass(frozen=True)
class BoundText:
    """A token to be bound, and its end in epoch seconds; `name` is None for somebody's own."""

    text: str = dataclasses.field(repr=False)
    expires: float
    name: str | None = None


class BoundTextSigner:
    """Makes texts. The first secret signs; those of the others can be had again as well."""

    def __init__(self, signing_secrets: Sequence[str]) -> None:
        self._signers = [
            Signer(secret, salt="chatproxy.bound-token", digest_method=hashlib.sha256)
            for secret in signing_secrets
        ]

    def make(self, expires: float) -> BoundText:
        """Make a new token."""
        name = PREFIX + secrets.token_urlsafe(NAME_BYTES)
        return BoundText(self._signers[0].sign(name).decode(), expires, name)

    def again(self, name: str, digest: str) -> str | None:
        """Return the text of a token by its name, None where its secret is not there any more."""
        texts = (signer.sign(name).decode() for signer in self._signers)
        return next((text for text in texts if digest_of(text) == digest), None)
