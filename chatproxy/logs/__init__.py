"""Logging: one JSON object per line, without secrets.

| file | what |
|---|---|
| `levels` | trace to fatal, as the settings, Python and the platform name them |
| `json_lines` | formatting a record as one line, and writing it |
| `redaction` | removing secrets from a line |
| `access` | the two log lines of a request |
"""

import logging
from collections.abc import Iterable
from typing import Any

from chatproxy.logs.json_lines import JsonFormatter
from chatproxy.logs.levels import LEVELS, SILENT, TRACE


def hide(secrets: Iterable[str]) -> None:
    """Redact further secrets from now on: those that are derived after the start."""
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
        "filters": {"logged": {"()": "chatproxy.logs.json_lines.AlreadyLogged"}},
        "handlers": {
            "stdout": {
                "class": "chatproxy.logs.json_lines.LineHandler",
                "formatter": "json",
                "filters": ["logged"],
                "stream": "ext://sys.stdout",
            }
        },
        "root": {"level": number, "handlers": ["stdout"]},
        "loggers": {
            "gunicorn.error": {"level": number, "propagate": True, "handlers": []},
            "gunicorn.access": {"level": SILENT, "propagate": False, "handlers": []},
        },
    }
