"""Options that are durations."""

from typing import Any

import click

from chatproxy.formats import durations

#: Seconds of a hundred years. A longer duration is a typing error.
LONGEST = 36_500 * 24 * 3600


class DurationType(click.ParamType[float]):
    """A duration such as `90d` of at least so many seconds, converted to seconds."""

    name = "duration"

    def __init__(self, least: int) -> None:
        self._least = least

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds, or end the command with an error."""
        try:
            seconds = durations.seconds_of(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a duration such as 90d, 12h, 30m", param, ctx)

        if not self._least <= seconds <= LONGEST:
            self.fail(f"from {self._least}s to {durations.written(LONGEST)}", param, ctx)

        return float(seconds)
