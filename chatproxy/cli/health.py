"""`chatproxy health`: its help. A probe never gets here (`chatproxy.__main__`)."""

import os
import sys

import click

from chatproxy import health
from chatproxy.cli.examples import examples


@click.command(
    "health",
    epilog=examples(
        "chatproxy health && echo alive",
        "chatproxy health --ready --timeout 1",
        "chatproxy health --url http://127.0.0.1:3004",
    ),
)
@click.option("--ready", is_flag=True, help="Ask whether requests may come: /-/ready.")
@click.option("--url", metavar="URL", help="Where to ask, if not where the environment says.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    default=health.DEFAULT_TIMEOUT,
    show_default=True,
    help="How long all of it may take.",
)
def command(ready: bool, url: str | None, timeout: float) -> None:
    """Ask the sidecar on this machine whether it is alive.

    It asks /-/healthz. For a probe that runs a command. The address is that of the server with the
    same environment: HTTP_PORT on BIND_HOST, or STATUS_PORT on STATUS_HOST.

    Exit code 0 if so; 1 if not, with one line that says why; 2 if it cannot be asked like this.
    """
    sys.exit(health.run(ready, url, timeout, os.environ))
