"""`chatproxy …`: the commands for a person at a terminal."""

import sys
from pathlib import Path

import click

from chatproxy import localrun
from chatproxy.errors import SettingsError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the sidecar, and try it without an account."""


@main.command()
@click.option("--port", default=3001, show_default=True, help="Port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--beyond-loopback", is_flag=True, help="Allow an address that other machines can reach."
)
def sandbox(port: int, host: str, beyond_loopback: bool) -> None:
    """Serve a stand-in for Stream's server, strict about what it is sent."""
    from chatproxy.sandbox import serve  # the stand-in is not part of the sidecar

    try:
        serve(host, port, exposed=beyond_loopback)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot listen on {host} port {port}: {error}") from error


@main.command()
@click.argument("application", default="wsgi:app")
def run(application: str) -> None:
    """Start the sidecar under gunicorn, with the stand-in where no account is set."""
    try:
        sys.exit(localrun.run(application, Path.cwd()))
    except SettingsError as error:
        sys.exit(error.message)
