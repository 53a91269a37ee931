"""Logging: one JSON object per line, or a text for people, without secrets.

| file | what |
|---|---|
| `levels` | trace to fatal, as the settings, Python and the platform name them |
| `json_lines`, `text_lines` | formatting a record, for machines and for people |
| `plain_text` | texts of strangers within a line for people |
| `correlation` | which request a line belongs to |
| `handler` | writing lines |
| `redaction` | removing secrets from a line |
| `access` | the two log lines of a request |
"""

import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any, Literal

from chatproxy.logs.handler import LineHandler
from chatproxy.logs.json_lines import JsonFormatter
from chatproxy.logs.levels import LEVELS, SILENT, TRACE
from chatproxy.logs.text_lines import TextFormatter

Form = Literal["json", "text"]


def hide(secrets: Iterable[str]) -> None:
    """Redact further secrets from now on: those that are derived after the start."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonFormatter):
            handler.formatter.hide(secrets)


def write_once_a_turn(later: Callable[[Callable[[], None]], object]) -> None:
    """Write requests' lines when a turn of the event loop is over, which `later` waits for."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LineHandler):
            handler.later = later


def configuration(
    level: str, secrets: Iterable[str], form: Form = "json", *, coloured: bool | None = None
) -> dict[str, Any]:
    """Return the logging configuration of the process (`logging.config.dictConfig`).

    `coloured` is about the text form; None is for coloured at a terminal only.
    """
    logging.addLevelName(TRACE, "TRACE")
    number = LEVELS[level]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": _formatter(_Unshown(secrets), form, coloured)},
        "filters": {"logged": {"()": "chatproxy.logs.handler.AlreadyLogged"}},
        "handlers": {
            "stdout": {
                "class": "chatproxy.logs.handler.LineHandler",
                "formatter": "line",
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


class _Unshown(list[str]):
    """Secrets. At debug gunicorn writes all of its settings, this configuration among them."""

    # The redaction would not find one with both kinds of quotes, as Python writes it there.
    def __repr__(self) -> str:
        return "[…]"


def _formatter(secrets: list[str], form: Form, coloured: bool | None) -> dict[str, Any]:
    if form == "json":
        return {"()": JsonFormatter, "secrets": secrets}

    # A process may be started without a standard output.
    out = sys.stdout
    at_terminal = out is not None and out.isatty()
    return {
        "()": TextFormatter,
        "secrets": secrets,
        "coloured": at_terminal if coloured is None else coloured,
        "encoding": getattr(out, "encoding", None) or "utf-8",
    }
