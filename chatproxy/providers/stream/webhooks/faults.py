"""Why a signature is not right for an event."""

import codecs
import json
import re
from collections.abc import Callable, Iterator

SIGNATURE = re.compile(r"[0-9a-f]{64}")

#: Says whether a signature is right for a body.
Check = Callable[[bytes, bytes], bool]


def fault(body: bytes, signature: str, secrets: int, is_right: Check) -> str:
    """Return why a signature is not right for a body; empty where it is.

    `secrets` is how many there are. What changes a body most often on its way is tried.
    """
    text = signature.strip()

    if is_right(body, text.encode("utf-8", "surrogatepass")):
        return ""

    if not text:
        return "there is no signature"

    if not SIGNATURE.fullmatch(text):
        if SIGNATURE.fullmatch(text.lower()):
            return "the signature is in upper case: it is lower-case hexadecimal"

        return f"the signature is not 64 hexadecimal digits: it has {len(text)} characters"

    for changed, reason in _changes(body):
        if is_right(changed, text.encode()):
            return f"the body was changed on its way: {reason}"

    which = "the secret" if secrets == 1 else f"none of the {secrets} secrets"
    negation = "did not make" if secrets == 1 else "made"
    return f"{which} {negation} this signature for these {len(body)} bytes"


def _changes(body: bytes) -> Iterator[tuple[bytes, str]]:
    yield body.rstrip(b"\r\n"), "a line end was added"
    yield body.removeprefix(codecs.BOM_UTF8), "a byte order mark was added"
    yield body.replace(b"\r\n", b"\n"), "its line ends were changed"

    try:
        document = json.loads(body)
        compact = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return

    reason = "it was parsed and written anew; the signature is over the bytes as they came"
    yield compact, reason
    yield (
        compact.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026"),
        reason,
    )
