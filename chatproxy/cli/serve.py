"""`chatproxy serve`."""

import os
import sys

import click

from chatproxy.cli.examples import examples

ARGUMENTS = ("-c", "python:chatproxy.gunicorn_conf", "chatproxy.wsgi:app")


@click.command(
    epilog=examples(
        "STREAM_API_KEY=… STREAM_API_SECRET=… chatproxy serve",
        "BIND_HOST=0.0.0.0 ALLOWED_HOSTS=chatproxy WORKERS=2 chatproxy serve",
    )
)
def serve() -> None:
    """Serve until SIGTERM.

    Settings come from the environment. It works from any folder; a SQLite database with a relative
    path is below that folder. The exit code is 0 after SIGTERM or SIGINT, and 1 where the start
    fails. SIGHUP takes over files that have changed, and replaces the workers.
    """
    # In place of this process, so that signals and the exit code are the server's own; and afresh,
    # because the commands have loaded what gevent patches in the workers.
    server = [sys.executable, "-P", "-m", "chatproxy.server", *ARGUMENTS]
    os.execv(sys.executable, server)  # noqa: S606 - our own command
