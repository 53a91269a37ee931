"""JSON that two could read differently is refused."""

import json

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
    "text",
    [
        "[" * 10_001,
        "{" * 100_000,
        "," * 50_001,
        '[{,"\\' * 20_000,
        "\\" * 100_000 + "[" * 10_001,
        '"' + "[" * 10_001,
    ],
    ids=lambda text: text[:8],
)
def test_a_text_may_hold_any_number_of_brackets_and_commas(text: str) -> None:
    document = {text: [text, "", "\n", text], "b": {"c": text}}

    assert strictjson.read(json.dumps(document).encode()) == document


@pytest.mark.parametrize(
    ("content", "limit"),
    [
        (b'{"a":' * 65 + b'"["' + b"}" * 65, "64 levels"),
        (b"[" * 5_000 + b"]" * 5_000, "64 levels"),
        (b'["' + b"[" * 9_999 + b'",' + b"[]," * 10_000 + b"[]]", "10000 objects and lists"),
        (b'["\\"",' + b"[]," * 10_000 + b"[]]", "10000 objects and lists"),
        (b'["' + b"," * 50_000 + b'",' + b"1," * 50_000 + b"1]", "50000 commas"),
    ],
    ids=["objects", "lists", "containers", "after an escape", "commas"],
)
def test_a_limit_that_is_met_is_named(content: bytes, limit: str) -> None:
    with pytest.raises(ValueError, match=limit):
        strictjson.read(content)


@pytest.mark.parametrize(
    "content",
    [
        b'"' + b'\\"' * 500_000,
        b'["' + b"[" * 1_000_000,
        b'"["' * 400_000,
        b"\\" * 20_000 + b"[" * 20_000,
    ],
    ids=["no end", "no end, brackets", "texts", "backslashes"],
)
def test_broken_texts_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        strictjson.read(content)


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
