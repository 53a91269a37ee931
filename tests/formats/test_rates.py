"""Rates, as people write them."""

import pytest

from chatproxy.formats.rates import Rate


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [
        ("10 per 15 minutes", 10, 900),
        ("10 per 5 minutes", 10, 300),
        ("1 per second", 1, 1),
        ("100 per minute", 100, 60),
        ("100 per minutes", 100, 60),
        ("100 per 1 minute", 100, 60),
        ("7 per 24 hours", 7, 86_400),
        ("999999999 per 9999 days", 999_999_999, 863_913_600),
    ],
)
def test_a_rate_is_read(text: str, count: int, seconds: int) -> None:
    rate = Rate.read(text)

    assert (rate.count, rate.seconds, str(rate)) == (count, seconds, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "per minute",
        "10 per",
        "0 per minute",
        "00 per minute",
        "10 per 0 minutes",
        "10 per 00 minutes",
        "-1 per minute",
        "10 per -1 minutes",
        "+1 per minute",
        "1.5 per minute",
        "1_0 per minute",
        "1e3 per minute",
        "٣ per minute",
        "10 per ٣ minutes",
        "１0 per minute",
        " 10 per minute",
        "10 per minute ",
        "10 per minute\n",
        "10  per minute",
        "10 per\tminute",
        "10 per\u00a0minute",
        "10 PER minute",
        "10 per week",
        "10 per minute, 5 per second",
        "10/minute",
        "1234567890 per minute",
        "10 per 12345 minutes",
        "unlimited",
    ],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a rate is such as `10 per 15 minutes`"):
        Rate.read(text)
