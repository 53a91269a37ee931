"""Stream's signature of an event: HMAC-SHA256 of its uncompressed bytes, in lower-case hexadecimal.

Source: the vendor's documentation of webhooks and its official SDKs.
"""

import contextlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from chatproxy.providers.stream.webhooks.gzipped import MAGIC, inflated, pieces
from chatproxy.signing.digests import is_signed, signature_of

#: Makes an event's bytes, piece by piece.
Pieces = Callable[[], Iterator[bytes]]


class Signatures:
    """Checks and makes signatures with the secrets of one application."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets

    @property
    def secrets(self) -> int:
        """How many secrets there are."""
        return len(self._secrets)

    def is_right(self, body: bytes, signature: bytes) -> bool:
        """Say whether a signature is right for a body, which may be compressed."""
        # The bytes as they came are tried as well: they may start like gzip by chance, and the
        # vendor's older SDK call accepts them.
        return self.signed_pieces(body, signature) is not None

    def signed_pieces(self, body: bytes, signature: bytes) -> Pieces | None:
        """Return what makes the bytes that a signature is right for, None if it is for none."""
        if self._is_right_inflated(body, signature):
            return partial(inflated, body)

        is_right = is_signed(pieces(body), signature, self._secrets)
        return partial(pieces, body) if is_right else None

    def sign(self, body: bytes) -> str:
        """Return the signature that Stream would send with a body, which may be compressed."""
        content = pieces(body)

        if body.startswith(MAGIC):
            with contextlib.suppress(zlib.error):
                content = iter([*inflated(body)])

        return signature_of(content, self._secrets[0])

    def _is_right_inflated(self, body: bytes, signature: bytes) -> bool:
        if body.startswith(MAGIC):
            with contextlib.suppress(zlib.error):
                return is_signed(inflated(body), signature, self._secrets)

        return False
