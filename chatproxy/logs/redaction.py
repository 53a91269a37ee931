"""Taking secrets out of a finished line, whoever wrote it."""

import base64
import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

REDACTED = "[REDACTED]"

#: In front of a secret in an encoded line: no half of an escape, which would be torn apart.
NOT_ESCAPED = r"(?<!\\)((?:\\\\)*)"

#: Characters below which a text is no secret, and taking it out would spoil the line.
SHORTEST_SECRET = 6

#: How often a secret may have been written as JSON within JSON, the line itself included.
DEEPEST_JSON = 3

#: What looks like a secret although we do not know it: a JWT, an API key of ours, an
#: authorisation header, a credential in a query. The text in front is looked for first, since
#: hardly any line has one and a pattern costs much more.
SECRET_SHAPES = (
    ("eyJ", re.compile(r"eyJ[A-Za-z0-9_-]{5,}+\.[A-Za-z0-9_-]++\.[A-Za-z0-9_-]*")),
    ("sk_", re.compile(r"sk_[A-Za-z0-9_-]{16,}+(?:\.[A-Za-z0-9_-]+)?")),
    ("asic ", re.compile(r"(?<=asic )[A-Za-z0-9+/=_-]{4,}")),
    ("earer ", re.compile(r"(?<=earer )[A-Za-z0-9+/=._~-]{4,}")),
    ("api_key=", re.compile(r"(?<=api_key=)[^&\s\"'\\]+")),
    ("api_secret=", re.compile(r"(?<=api_secret=)[^&\s\"'\\]+")),
    ("token=", re.compile(r"(?<=token=)[^&\s\"'\\]+")),
)


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Make a function that takes secrets out of a line: the known ones and what looks like one.

    Known secrets are found as they stand, JSON-escaped, URL-encoded and in base64.
    """
    found = {form for secret in secrets for form in _forms(secret)}
    forms = sorted((one for one in found if len(one) >= SHORTEST_SECRET), key=len, reverse=True)

    def redact(line: str) -> str:
        for form in forms:
            if form in line:
                line = re.sub(NOT_ESCAPED + re.escape(form), rf"\1{REDACTED}", line)

        for mark, shape in SECRET_SHAPES:
            if mark in line:
                line = shape.sub(REDACTED, line)

        return line

    return redact


def _forms(secret: str) -> Iterable[str]:
    """Return the secret as it could stand in a line.

    In base64 the three offsets within a longer text differ; each is cut to the
    characters that depend on the secret alone.
    """
    yield secret
    yield quote(secret, safe="")
    escaped = secret

    for _ in range(DEEPEST_JSON):
        escaped = json.dumps(escaped)[1:-1]
        yield escaped

    raw = secret.encode()

    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        start = (0, 2, 3)[offset]
        inner = encoded.rstrip("=")[start : len(encoded) if not (offset + len(raw)) % 3 else -1]
        yield from (inner, inner.replace("+", "-").replace("/", "_"))
