"""gunicorn's logger without its access log: the sidecar's own line says more.

With a logging configuration of our own gunicorn would still prepare a line for
each request, and then write it nowhere.
"""

from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger


class Logger(GunicornLogger):  # type: ignore[misc]  # gunicorn has no annotations
    """Writes what the server itself has to say."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> None:
        """Write nothing."""
