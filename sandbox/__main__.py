"""`python -m sandbox serve`: a stand-in alone. `python -m sandbox run`: one before the sidecar."""

import signal
import sys
import threading
from pathlib import Path

import click

from . import SERVED


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Try chatproxy without an account."""


@main.command()
@click.option("--port", default=3001, show_default=True, help="Port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--provider",
    type=click.Choice(list(SERVED)),
    default=next(iter(SERVED)),
    show_default=True,
    help="Whose server to stand in for.",
)
@click.option(
    "--beyond-loopback", is_flag=True, help="Allow an address that other machines can reach."
)
def serve(port: int, host: str, provider: str, beyond_loopback: bool) -> None:
    """Serve a stand-in for a provider's server until it is told to end."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    try:
        server = SERVED[provider](port=port, host=host, exposed=beyond_loopback)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot listen on {host} port {port}: {error}") from error

    with server:
        click.echo(f"{provider} stand-in listens on {server.url}", err=True)
        stop.wait()


@main.command()
@click.argument("application", default="wsgi:app")
def run(application: str) -> None:
    """Start the sidecar under gunicorn, with the stand-in where no account is set."""
    # A stand-in alone, as in a container of its own, does without the sidecar's package.
    from chatproxy.errors import SettingsError

    from . import local_run, ports

    try:
        sys.exit(local_run.run(application, Path.cwd()))
    except SettingsError as error:
        click.echo(error.message, err=True)
        sys.exit(2)
    except ports.PortsTaken as error:
        click.echo(error, err=True)
        sys.exit(3)


if __name__ == "__main__":
    main(prog_name="python -m sandbox")
