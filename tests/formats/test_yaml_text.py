"""YAML and JSON as text: nothing is guessed, nothing expands, everything has its line."""

import time

import pytest

from chatproxy.formats.yaml_text import LARGEST, YamlError, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", {"a": "no"}),
        ("no: yes", {"no": "yes"}),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
        ("a: 0123", {"a": "0123"}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: 190:20:30", {"a": "190:20:30"}),
        ("a: .inf", {"a": ".inf"}),
        ("1: x", {"1": "x"}),
        ("a:", {"a": None}),
        ("a: ~", {"a": None}),
        ('a: ""', {"a": ""}),
        ("a: 'null'", {"a": "null"}),
        ("a: !!str no", {"a": "no"}),
        ("a: [x, y]\nb:\n  - z", {"a": ["x", "y"], "b": ["z"]}),
        ("a: &one [x]\nb: *one", {"a": ["x"], "b": ["x"]}),
        ('{"a": true, "b": [1, null]}', {"a": "true", "b": ["1", None]}),
        ('{\n\t"a":\t"b"\n}', {"a": "b"}),
        ('{"a":"\\u00e9\\/"}', {"a": "é/"}),
        ("\ufeffa: b", {"a": "b"}),
        ("a: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
        ("# nothing but this", None),
        ("", None),
        ("~", None),
    ],
)
def test_every_value_is_text_as_it_is_written(text: str, value: object) -> None:
    assert read(text.encode()).value == value


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: b: c", "line 1: no valid YAML"),
        (b"a: b\n\tc: d", "line 2: no valid YAML"),
        (b'{"a": [1, 2', "no valid YAML (did not find expected"),
        (b"a: [*]", "Write a `*` in quotes"),
        (b"a: *b", "line 1: *b stands for nothing"),
        (b"a: 1\n---\nb: 2", "line 2: it has a second part"),
        (b"a: !!python/object:os.system x", "line 1: the tag"),
        (b"a: !!binary aGk=", "line 1: the tag"),
        (b"a: !secret x", "line 1: the tag"),
        (b"a: b\nc: \xff", "line 2: it is not UTF-8"),
        (b"a: b\nc: \x07", "line 2: a character"),
        (b"? [a]\n: b", "line 1: a name must be text"),
        (b"? ~\n: b", "line 1: a name must be text"),
        (b"a:\n" + b"".join(b" " * n + b"-\n" for n in range(1, 40)), "nested more than 16"),
        (b"[" * 200_000, "nested more than 16"),
        (b"a: " + b"{b: " * 200_000, "nested more than 16"),
        (b"- x\n" * 60_000, "more than 50000 values"),
        (b"#" * (LARGEST + 1), f"larger than {LARGEST} bytes"),
    ],
    ids=range(18),
)
def test_what_is_no_such_document_is_told_with_its_line(content: bytes, told: str) -> None:
    began = time.monotonic()

    with pytest.raises(YamlError) as caught:
        read(content)

    assert told in str(caught.value)
    assert time.monotonic() - began < 10


def test_a_few_lines_of_aliases_do_not_become_a_billion_values() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    with pytest.raises(YamlError, match="aliases counted"):
        read("\n".join(lines).encode())


def test_an_alias_within_what_it_stands_for_is_refused() -> None:
    with pytest.raises(YamlError, match="stands for nothing before it"):
        read(b"a: &a [*a]")


def test_places_have_lines_and_a_repeated_name_is_told() -> None:
    found = read(b"a:\n  b: [x,\n    y]\n  b: z\nc: d\na: e\n")

    assert found.value == {"a": {"b": ["x", "y"]}, "c": "d"}
    assert found.line_of(("a", "b", 1)) == 3
    assert found.line_of(("a", "b", 1, "more")) == 3
    assert found.line_of(("c",)) == 5
    assert found.repeated == ((("a", "b"), 4), (("a",), 6))
