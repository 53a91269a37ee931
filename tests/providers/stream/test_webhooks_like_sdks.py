"""Webhook bodies, judged here and by the official SDKs: the same verdict, or a reason why not."""

import base64
import gzip
import hashlib
import hmac
import json
import subprocess
import zlib

import pytest

from chatproxy.providers.stream.webhooks.gzipped import LARGEST_EVENT, MOST_MEMBERS
from chatproxy.providers.stream.webhooks.signatures import Signatures
from tests.sidecar import bare_environ
from tests.test_sdks import NODE, PYTHON, SDKS, needs_node_sdks, needs_python_sdks

SECRET = "secret-xyz"
EVENT = '{"type": "message.new", "message": {"text": "é <b>&</b> \u2028"}}'.encode()
SIGNATURE = hmac.new(SECRET.encode(), EVENT, hashlib.sha256).hexdigest()
PACKED, EMPTY = gzip.compress(EVENT), gzip.compress(b"")
FIRST, SECOND = gzip.compress(EVENT[:20]), gzip.compress(EVENT[20:])

#: Of a named file, with its time, a comment, and a checksum of the head (RFC 1952 section 2.3).
HEAD = b"\x1f\x8b\x08\x1a\x01\x02\x03\x04\x00\x03event.json\x00said\x00"
NAMED = (
    HEAD + (zlib.crc32(HEAD) & 0xFFFF).to_bytes(2, "little") + zlib.compress(EVENT)[2:-4] +
    PACKED[-8:]
)  # fmt: skip

GENUINE = {
    "plain": EVENT,
    "gzip": PACKED,
    "gzip, not shrunk": gzip.compress(EVENT, 0),
    "gzip with every field of a head": NAMED,
    "two members": FIRST + SECOND,
    "a member for each byte": b"".join(gzip.compress(bytes([one])) for one in EVENT),
    "empty members around": EMPTY + PACKED + EMPTY,
    "a zero behind": PACKED + b"\0",
    "zeros behind": PACKED + bytes(10_000),
    "zeros behind two members": FIRST + SECOND + bytes(7),
}
SPOILT = {
    "nothing": b"",
    "another": EVENT + b" ",
    "other members": FIRST + FIRST,
    "members in the wrong order": SECOND + FIRST,
    "first member alone": FIRST,
    "member too many": PACKED + gzip.compress(b" "),
    "cut": PACKED[:-1],
    "cut in its head": PACKED[:5],
    "magic alone": PACKED[:2],
    "second member cut": (FIRST + SECOND)[:-1],
    "one byte behind": PACKED + b"\x1f",
    "magic behind": PACKED + PACKED[:2],
    "junk behind": PACKED + b"junk",
    "wrong checksum": PACKED[:-8] + bytes(4) + PACKED[-4:],
    "wrong length": PACKED[:-4] + bytes(4),
    "unknown method": PACKED[:2] + b"\x07" + PACKED[3:],
    "corrupt": PACKED[:12] + bytes(8) + PACKED[20:],
    "twice": gzip.compress(PACKED),
    "zlib": zlib.compress(EVENT),
    "zeros in front": b"\0" + PACKED,
}

#: By whom else it is accepted, and why not here.
REFUSED_HERE = {
    "member behind zeros": (FIRST + bytes(4) + SECOND, {"stream-chat", "getstream"}),
    "junk behind zeros": (PACKED + bytes(4) + b"junk", {"npm stream-chat", "@stream-io/node-sdk"}),
    "very many members": (
        PACKED + EMPTY * MOST_MEMBERS,
        {"stream-chat", "getstream", "npm stream-chat", "@stream-io/node-sdk"},
    ),
}
TABLE = GENUINE | SPOILT | {name: body for name, (body, _) in REFUSED_HERE.items()}


def is_right(body: bytes) -> bool:
    return Signatures([SECRET]).is_right(body, SIGNATURE.encode())


@pytest.mark.parametrize("name", TABLE)
def test_what_is_genuine(name: str) -> None:
    assert is_right(TABLE[name]) == (name in GENUINE)


@pytest.mark.parametrize(
    ("interpreter", "script"),
    [
        pytest.param(str(PYTHON), "webhook_verdicts.py", marks=needs_python_sdks),
        pytest.param(NODE, "webhook_verdicts.mjs", marks=[needs_node_sdks, pytest.mark.node]),
    ],
)
def test_the_official_sdks_say_the_same(interpreter: str, script: str) -> None:
    """But for what one of them reads as another event than the next, and for our own limits."""
    bodies = {name: base64.b64encode(body).decode() for name, body in TABLE.items()}
    asked = json.dumps({"secret": SECRET, "signature": SIGNATURE, "bodies": bodies})
    done = subprocess.run(
        [interpreter, script],
        cwd=SDKS,
        env=bare_environ(),
        input=asked,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = json.loads(done.stdout)

    assert len(said) == 2

    for sdk, verdicts in said.items():
        ours = {name: is_right(body) for name, body in TABLE.items()}
        ours |= {name: True for name, (_, sdks) in REFUSED_HERE.items() if sdk in sdks}
        assert verdicts == ours


@pytest.mark.parametrize("members", [1, 50])
def test_the_limit_is_on_all_members_together(members: int) -> None:
    size = LARGEST_EVENT // members
    most = gzip.compress(bytes(size)) * members
    rest = bytes(LARGEST_EVENT - members * size)
    signature = hmac.new(SECRET.encode(), bytes(LARGEST_EVENT), hashlib.sha256).hexdigest()
    more = hmac.new(SECRET.encode(), bytes(LARGEST_EVENT + 1), hashlib.sha256).hexdigest()
    fits = most + gzip.compress(rest)

    assert Signatures([SECRET]).is_right(fits, signature.encode())
    assert not Signatures([SECRET]).is_right(fits + gzip.compress(b"\0"), more.encode())
