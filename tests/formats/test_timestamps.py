"""Moments: what is read, what is refused, and how one is written."""

import math

import pytest

from chatproxy.formats.timestamps import iso, read_iso

#: 15 January 2027, 08:00 UTC.
MORNING = 1_800_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2027-01-15T08:00:00Z", MORNING),
        ("2027-01-15t08:00:00z", MORNING),
        ("2027-01-15T08:00:00+00:00", MORNING),
        ("2027-01-15T08:00:00-00:00", MORNING),
        ("2027-01-15T13:30:00+05:30", MORNING),
        ("2027-01-14T20:00:00-12:00", MORNING),
        ("2027-01-16T07:59:00+23:59", MORNING),
        ("2027-01-15T08:00:00+0000", MORNING),
        ("2027-01-15T13:30:00+0530", MORNING),
        ("2027-01-15T08:00:00.000-0000", MORNING),
        ("2027-01-15T08:00Z", MORNING),
        ("2027-01-15T13:30+05:30", MORNING),
        ("2027-01-14T20:00-1200", MORNING),
        ("1969-12-31T23:59:59Z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
        ("2028-02-29T00:00:00Z", 1_835_395_200),
    ],
)
def test_a_moment_is_read(text: str, seconds: float) -> None:
    assert read_iso(text) == seconds


@pytest.mark.parametrize(
    ("fraction", "seconds"),
    [
        (".5", 0.5),
        (".25", 0.25),
        (".125", 0.125),
        (".0000", 0),
        (".00001", 0.00001),
        (".000001", 0.000001),
        (".5000000", 0.5),
        (".12345678", 0.123456),
        (".999999999", 0.999999),
    ],
)
def test_a_fraction_is_read_to_the_microsecond(fraction: str, seconds: float) -> None:
    assert read_iso(f"2027-01-15T08:00:00{fraction}Z") == MORNING + seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2027-01-15",
        "08:00:00Z",
        "2027-01-15T08:00:00",
        "2027-01-15T08:00",
        "2027-01-15T08Z",
        "2027-01-15T08:00.5Z",
        "2027-01-15 08:00:00Z",
        "20270115T080000Z",
        "2027-W02-5T08:00:00Z",
        "27-01-15T08:00:00Z",
        "+2027-01-15T08:00:00Z",
        "12027-01-15T08:00:00Z",
        "2027-1-15T08:00:00Z",
        "2027-01-15T08:00:00UTC",
        "2027-01-15T08:00:00 Z",
        "2027-01-15T08:00:00+00",
        "2027-01-15T08:00:00+000",
        "2027-01-15T08:00:00+00000",
        "2027-01-15T08:00:00+00:00:00",
        "2027-01-15T08:00:00Z+00:00",
        "2027-01-15T08:00:00\u221200:00",
        "2027-01-15T08:00:00.Z",
        "2027-01-15T08:00:00,5Z",
        "2027-01-15T08:00:00.1234567890Z",
        "2027-01-15T08:00:00Z\n",
        " 2027-01-15T08:00:00Z",
        "2027-01-15T08:00:00Z\0",
        "٢٠٢٧-01-15T08:00:00Z",
        "2027-01-15T08:00:00.٥Z",
        "2027-01-15T08:00:00+０0:00",
        "1800000000",
        "never",
    ],
    ids=ascii,
)
def test_what_is_no_date_and_time_with_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no date and time with a zone"):
        read_iso(text)


@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01T00:00:00Z",
        "2027-00-15T08:00:00Z",
        "2027-13-15T08:00:00Z",
        "2027-02-29T08:00:00Z",
        "2027-01-15T24:00:00Z",
        "2027-01-15T08:60:00Z",
        "2016-12-31T23:59:60Z",
        "2027-01-15T08:00:00+24:00",
        "2027-01-15T08:00:00-99:00",
        "2027-01-15T08:00:00+01:60",
        "2027-01-15T08:00:00+2400",
        "2027-01-15T08:60Z",
        "2027-01-15T08:00:00-01:99",
    ],
)
def test_what_no_calendar_or_clock_shows_is_refused(text: str) -> None:
    """A leap second too: neither Python nor JavaScript can hold one."""
    with pytest.raises(ValueError):  # noqa: PT011 - in the words of the library
        read_iso(text)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01"])
def test_what_is_beyond_the_years_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="in no year that can be written"):
        read_iso(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (MORNING, "2027-01-15T08:00:00.000Z"),
        (MORNING + 0.0621, "2027-01-15T08:00:00.062Z"),
        (MORNING + 0.9996, "2027-01-15T08:00:01.000Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        (-0.25, "1969-12-31T23:59:59.750Z"),
        (-62_135_596_800, "0001-01-01T00:00:00.000Z"),
        (253_402_300_799, "9999-12-31T23:59:59.000Z"),
    ],
)
def test_a_moment_is_written_as_javascript_does(seconds: float, text: str) -> None:
    assert iso(seconds) == text


@pytest.mark.parametrize(
    "seconds",
    [None, -62_135_596_801, 253_402_300_800, 1e20, -1e20, 1e306, 10**400, math.inf, -math.inf]
    + [math.nan],
    ids=lambda seconds: str(seconds)[:20],
)
def test_what_no_calendar_has_is_not_written(seconds: float | None) -> None:
    assert iso(seconds) is None


@pytest.mark.parametrize("year", ["0001", "1969", "2027", "2300", "9999"])
def test_a_moment_comes_back_as_it_was_written(year: str) -> None:
    """Of the later years a float holds no exact thousandth."""
    written = [f"{year}-12-31T23:59:59.{fraction:03}Z" for fraction in range(1000)]

    assert [iso(read_iso(text)) for text in written] == written
