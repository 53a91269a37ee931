"""Moments as servers in JavaScript write them."""

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Return a moment in ISO 8601, to the millisecond."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
