"""Turning this process into the server."""

import os
import sys
from typing import NoReturn

ARGUMENTS = ("-c", "python:chatproxy.gunicorn_conf", "chatproxy.wsgi:app")


def become_server() -> NoReturn:
    """Replace this process by the server."""
    # So that signals and the exit code are the server's own; and afresh, because a command has
    # loaded what gevent patches in the workers.
    server = [sys.executable, "-P", "-m", "chatproxy.server", *ARGUMENTS]
    os.execv(sys.executable, server)  # noqa: S606 - our own command
