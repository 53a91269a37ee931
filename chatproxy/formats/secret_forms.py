"""The forms in which a secret can be found within a text."""

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

#: How deep a secret may be encoded as JSON in JSON, a log line itself included: an error that
#: quotes a body that quotes a token.
DEEPEST_JSON = 3

ESCAPE = re.compile("%[0-9A-F]{2}")


def forms(secret: str) -> Iterator[str]:
    """Yield the secret as it stands, URL-encoded, JSON-escaped, and in base64."""
    yield secret
    # An escape may be in lower case (RFC 3986 section 2.1); web forms put `+` for a space.
    for encoded in (quote(secret, safe=""), quote_plus(secret)):
        yield encoded
        yield ESCAPE.sub(lambda found: found[0].lower(), encoded)

    escaped = secret

    for _ in range(DEEPEST_JSON):
        escaped = json.dumps(escaped)[1:-1]
        yield escaped

    # Base64 encodes three bytes at a time (RFC 4648 section 4), so within a longer text a secret
    # has three forms. Each is cut to the characters that depend on the secret alone.
    raw = secret.encode()

    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        start = (0, 2, 3)[offset]
        inner = encoded.rstrip("=")[start : len(encoded) if not (offset + len(raw)) % 3 else -1]
        yield from (inner, inner.replace("+", "-").replace("/", "_"))
