"""Removing secrets from a finished log line."""

import re
from collections.abc import Callable, Iterable

from chatproxy.formats.secret_forms import forms

REDACTED = "[REDACTED]"

#: Precedes a secret in an encoded line. It skips whole escapes, so that a match never begins in the
#: middle of one: the rest of the line would no longer be JSON.
NOT_ESCAPED = r"(?<!\\)((?:\\\\)*)"

#: A shorter text is hardly a secret, and replacing it everywhere would make lines unreadable.
SHORTEST_SECRET = 6

#: What looks like a secret, known or not: an API key of ours, an authorisation header, a
#: credential in a query. The plain text in front is searched first: few lines have it, and a
#: pattern costs much more. The possessive quantifiers keep the cost linear.
SECRET_SHAPES = (
    ("sk_", re.compile(r"sk_[A-Za-z0-9_-]{16,}+(?:\.[A-Za-z0-9_-]+)?")),
    ("cpk_", re.compile(r"cpk_[A-Za-z0-9_-]{4,}+")),
    # Percent-encoded in a path, and in a URL once more.
    ("cpk%", re.compile(r"cpk%(?:25)*+5[Ff][A-Za-z0-9_%-]{4,}+")),
    ("asic ", re.compile(r"(?<=asic )[A-Za-z0-9+/=_-]{4,}")),
    ("earer ", re.compile(r"(?<=earer )[A-Za-z0-9+/=._~-]{4,}")),
    ("api_key=", re.compile(r"(?<=api_key=)[^&\s\"'\\]+")),
    ("api_secret=", re.compile(r"(?<=api_secret=)[^&\s\"'\\]+")),
    ("token=", re.compile(r"(?<=token=)[^&\s\"'\\]+")),
)

#: A JWT, or only what begins like one. That is matched as well, so that it is read once: looked for
#: anew at every `eyJ` in it, the end of a JWT costs seconds in a line of 30 KB that has none.
JWT_OR_NONE = re.compile(r"eyJ[A-Za-z0-9_-]{5,}+(\.[A-Za-z0-9_-]++\.[A-Za-z0-9_-]*)?")


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Make a function that removes known secrets, and what looks like one, from a line.

    Known secrets are found as they are, JSON-escaped, URL-encoded and in base64.
    """
    # Longest first: one secret may be a part of another, whose rest would be left in the line.
    found = {form for secret in secrets for form in forms(secret)}
    longest_first = sorted(
        (one for one in found if len(one) >= SHORTEST_SECRET), key=len, reverse=True
    )

    def redact(line: str) -> str:
        for form in longest_first:
            if form in line:
                line = re.sub(NOT_ESCAPED + re.escape(form), rf"\1{REDACTED}", line)

        if "eyJ" in line:
            line = JWT_OR_NONE.sub(lambda found: REDACTED if found[1] else found[0], line)

        for prefix, shape in SECRET_SHAPES:
            if prefix in line:
                line = shape.sub(REDACTED, line)

        return line

    return redact
