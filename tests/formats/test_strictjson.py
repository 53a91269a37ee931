"""JSON that two could read differently is refused."""

import pytest

from chatproxy.formats import strictjson


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": [1, 2.5, "x", null, true]}', {"a": [1, 2.5, "x", None, True]}),
        ('"ü"'.encode(), "ü"),
        (b"[" * 64 + b"]" * 64, None),
    ],
    ids=["object", "text", "deep enough"],
)
def test_plain_json_is_read(content: bytes, value: object) -> None:
    assert strictjson.read(content) == value or value is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"x": {"a": 1, "a": 1}}',
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e400]",
        b"[-1e999]",
        b"[" + b"9" * 5000 + b"]",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        '"é"'.encode("latin-1"),
        b"[" * 66 + b"]" * 66,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b"[" + b",".join([b"[]"] * 10_001) + b"]",
        b"[" + b",".join([b"1"] * 50_002) + b"]",
    ],
    ids=lambda content: repr(content[:16]),
)
def test_the_rest_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        strictjson.read(content)
