"""Moments as JSON interfaces write them (RFC 3339)."""

import re
from datetime import UTC, datetime, timedelta

#: A date, a time and a zone: without that, no moment is meant (RFC 3339 section 4.4). ISO 8601
#: also writes the zone without a colon, and the time without seconds; so do many libraries.
WITH_ZONE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-9]{2}"
    r"(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}:?[0-5][0-9])"
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(seconds: float | None) -> str | None:
    """Write epoch seconds as JavaScript's `toISOString` does; None if they are out of range."""
    if seconds is None:
        return None

    try:
        # Rounded, since a float may be a little less than the millisecond that was meant.
        moment = EPOCH + timedelta(milliseconds=round(seconds * 1000))
    except (OverflowError, ValueError):
        return None

    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_iso(text: str) -> float:
    """Parse a timestamp of RFC 3339 or ISO 8601 into epoch seconds; raise `ValueError`."""
    if not WITH_ZONE.fullmatch(text):
        raise ValueError("it is no date and time with a zone")

    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC).timestamp()
    except OverflowError as error:  # in UTC it is before year 1 or after 9999
        raise ValueError("it is in no year that can be written") from error
