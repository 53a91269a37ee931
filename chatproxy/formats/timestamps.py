"""Moments as JSON interfaces write them (RFC 3339)."""

import re
from datetime import UTC, datetime, timedelta

#: A date, a time and a zone. Without a zone nobody knows which moment is meant.
WITH_ZONE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}"
    r"(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-5][0-9])"
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(seconds: float | None) -> str | None:
    """Write epoch seconds as JavaScript does; None for none, and for what no calendar has."""
    if seconds is None:
        return None

    try:
        # The nearest one: a float of some years ahead is a little less than what was meant.
        moment = EPOCH + timedelta(milliseconds=round(seconds * 1000))
    except (OverflowError, ValueError):
        return None

    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_iso(text: str) -> float:
    """Return the epoch seconds of a moment; raise `ValueError` for a text that is none."""
    if not WITH_ZONE.fullmatch(text):
        raise ValueError("it is no date and time with a zone")

    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC).timestamp()
    except OverflowError as error:  # in UTC it is beyond the last year
        raise ValueError("it is in no year that can be written") from error
