"""What is written of what happens: one JSON object per line, without a secret.

| file | what |
|---|---|
| `levels` | trace to fatal, as the settings, Python and the platform name them |
| `json_lines` | a record as one line, and how a line is written |
| `redaction` | taking secrets out of a line |
| `access` | the two lines that a request leaves |
"""

import logging
from collections.abc import Iterable
from typing import Any

from chatproxy.logs.json_lines import JsonFormatter
from chatproxy.logs.levels import LEVELS, SILENT, TRACE


def hide(secrets: Iterable[str]) -> None:
    """Take further secrets out of all lines from now on: those made after the start."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonFormatter):
            handler.formatter.hide(secrets)


def configuration(level: str, secrets: Iterable[str]) -> dict[str, Any]:
    """Return the logging configuration of the process (`logging.config.dictConfig`)."""
    logging.addLevelName(TRACE, "TRACE")
    number = LEVELS[level]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter, "secrets": list(secrets)}},
        "filters": {"told": {"()": "chatproxy.logs.json_lines.AlreadyTold"}},
        "handlers": {
            "stdout": {
                "class": "chatproxy.logs.json_lines.LineHandler",
                "formatter": "json",
                "filters": ["told"],
                "stream": "ext://sys.stdout",
            }
        },
        "root": {"level": number, "handlers": ["stdout"]},
        "loggers": {
            "gunicorn.error": {"level": number, "propagate": True, "handlers": []},
            "gunicorn.access": {"level": SILENT, "propagate": False, "handlers": []},
        },
    }
