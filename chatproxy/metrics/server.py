"""What the first process counts: its start, and what becomes of changed settings."""

from chatproxy.metrics import table
from chatproxy.metrics.segments import of_this_server
from chatproxy.metrics.series import store

#: How many workers there may be for each that is wanted: its successor, and those that have been
#: replaced and take long to end.
AT_ONCE = 4
SPARE = 16


def begin(workers: int, now: float) -> None:
    """Make the memory in which so many workers count; `now` is in epoch seconds."""
    of_this_server(AT_ONCE * workers + SPARE)
    started = table.STARTED_AT.place()

    # gunicorn may load its settings again.
    if not store().cells[started]:
        table.STARTED_AT.set(now)
        settings_judged(now, good=True)


def settings_judged(now: float, *, good: bool) -> None:
    """Count a change of the settings that was taken over, or refused."""
    table.SETTINGS_GOOD.set(good)

    if good:
        table.SETTINGS_GENERATION.add()
        table.SETTINGS_LOADED_AT.set(now)
    else:
        table.SETTINGS_REFUSED_AT.set(now)
