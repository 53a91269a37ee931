"""`chatproxy serve`."""

import click

from chatproxy.cli.examples import examples
from chatproxy.server.start import become_server


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
    become_server()
