"""`chatproxy …`: the commands for a person at a terminal, and for scripts.

None of them asks a question. What they print is on stdout, all else on stderr.
"""

import sys
from pathlib import Path

import click

from sandbox import local_run as localrun
from chatproxy.cli import agents, apps, db, keys, tokens, users
from chatproxy.errors import SettingsError
from chatproxy.providers import REGISTRY


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the sidecar, try it without an account, and keep its directory."""


@main.command()
@click.option("--port", default=3001, show_default=True, help="Port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--provider",
    type=click.Choice(list(REGISTRY)),
    default=next(iter(REGISTRY)),
    show_default=True,
    help="Whose server to stand in for.",
)
@click.option(
    "--beyond-loopback", is_flag=True, help="Allow an address that other machines can reach."
)
def sandbox(port: int, host: str, provider: str, beyond_loopback: bool) -> None:
    """Serve a stand-in for a provider's server, strict about what it is sent."""
    from sandbox import serve  # the stand-in is not part of the sidecar

    try:
        serve(host, port, exposed=beyond_loopback, provider=provider)
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


for group in (agents.group, apps.group, db.group, keys.group, tokens.group, users.group):
    main.add_command(group)
