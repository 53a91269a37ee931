"""Durations: what is read, what is refused, and how one is written."""

import pytest

from chatproxy.formats.durations import seconds_of, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("1s", 1),
        ("90s", 90),
        ("15m", 900),
        ("24h", 86_400),
        ("7d", 604_800),
        ("007d", 604_800),
        ("999999999s", 999_999_999),
    ],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "s", "90", "1w", "1S", "1 s", " 1s", "1s ", "1s\n", "-1s", "+1s", "1.5h", "1h30m", "1e3s"]
    + ["0x1s", "1_0s", "١s", "１s", "1ｓ", "1\0s", "1000000000s", "1" * 10_000 + "s", "P1D"],
    ids=lambda text: ascii(text[:12]),
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="digits and one of s, m, h, d"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1s"), (61, "61s"), (60, "1m"), (90, "90s"), (3600, "1h"), (5400, "90m"), (86_400, "1d")]
    + [(90_000, "25h"), (604_800, "7d"), (604_801, "604801s")],
)
def test_it_is_written_in_its_largest_whole_unit(seconds: int, text: str) -> None:
    assert written(seconds) == text
    assert seconds_of(written(seconds)) == seconds
