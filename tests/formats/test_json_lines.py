"""Where things are in a JSON document."""

import json

import pytest

from chatproxy.formats import json_lines
from chatproxy.formats.json_lines import Place

WHOLE = """
{
  "app":
  { "user"
    :
    ["a", "b",

     {"c": null}], "": -1.5e3 },
\t"e\\u0301": [], "\\ud83d\\ude42": [[], {}, [true,
  false]],
  "a \\"{[,:]}\\\\": "{\\n[",
  "\\ud800": 7
}
"""

PLACES = [
    ((), 2),
    (("app",), 3),
    (("app", "user"), 4),
    (("app", "user", 0), 6),
    (("app", "user", 1), 6),
    (("app", "user", 2), 8),
    (("app", "user", 2, "c"), 8),
    (("app", ""), 8),
    (("e\u0301",), 9),
    (("🙂",), 9),
    (("🙂", 1), 9),
    (("🙂", 2, 0), 9),
    (("🙂", 2, 1), 10),
    (('a "{[,:]}\\',), 11),
    (("\ud800",), 12),
]


@pytest.mark.parametrize(("place", "line"), PLACES)
def test_every_place_has_its_line(place: Place, line: int) -> None:
    found = json_lines.read(WHOLE)

    json.loads(WHOLE)
    assert found.line_of(place) == line
    assert found.faults == ()


def test_what_is_not_there_is_where_it_would_be() -> None:
    assert json_lines.read(WHOLE).line_of(("app", "user", 2, "d", 5)) == 8


def test_names_are_told_apart_by_the_object_that_they_are_in() -> None:
    found = json_lines.read('{"a": {"b": 1},\n"c": [{"b": 1}, {"b": 2}],\n"a": {"b": 3,\n"b": 4}}')

    assert found.faults == (
        (("a",), 3, "is there twice, first in line 1"),
        (("a", "b"), 4, "is there twice, first in line 3"),
    )


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("NaN", "has no value: NaN is no JSON"),
        ("-Infinity", "has no value: -Infinity is no JSON"),
        ("1e999", "is too large a number"),
        ("-" + "9" * 5000, "is too large a number"),
    ],
)
def test_what_is_no_number(word: str, fault: str) -> None:
    assert json_lines.read(f'{{"a":\n[0, {word}]}}').faults == ((("a", 1), 2, fault),)


@pytest.mark.parametrize(
    "text", ["", "]", "}{", '{"a', ",", ":", "[NaN] x {", '{"\\x": 1}', "{5: 1}", "{{"]
)
def test_what_is_no_json_is_read_or_refused(text: str) -> None:
    try:
        json_lines.read(text)
    except ValueError:
        return
