"""gunicorn's logger without its access log; `logs.access` writes that line.

Configured away, gunicorn would still prepare a line for each request and then drop it.
"""

from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger


class Logger(GunicornLogger):  # type: ignore[misc]  # gunicorn has no annotations
    """Writes gunicorn's own messages only."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> None:
        """Do nothing."""
