"""`chatproxy …`: the commands, for a person at a terminal and for scripts.

Results go to stdout, everything else to stderr. How a command ends is in `exits`. A command is a
line in the table below, and is imported when it is called.
"""

import click

from chatproxy import __version__
from chatproxy.cli.lazy import LazyGroup, Place

COMMANDS = {
    "access": Place("access:group", "Keep the document that says who may call."),
    "agents": Place("agents:group", "Keep the agents of an app."),
    "apps": Place("apps:group", "Keep the apps."),
    "check": Place("check:check", "Look for problems before they stop a start."),
    "completion": Place("completion:completion", "Print the script that lets a shell complete."),
    "config": Place("config:group", "Show the settings."),
    "db": Place("db:group", "Keep the directory's database."),
    "health": Place("health:command", "Ask the sidecar on this machine whether it is alive."),
    "keys": Place("keys:group", "Keep the API keys."),
    "openapi": Place("openapi:command", "Print the OpenAPI document."),
    "permissions": Place("permissions:group", "Keep the permissions at a provider."),
    "run": Place("run:run", "Try the sidecar in a checkout."),
    "serve": Place("serve:serve", "Serve until SIGTERM."),
    "token": Place("token:group", "Make user tokens, look into them, and end them."),
    # What it was called at first.
    "tokens": Place("token:group", "See `token`.", hidden=True),
    "webhook": Place("webhook:group", "Sign and check webhooks."),
    "users": Place("users:group", "Keep the users of an app."),
}


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 no or a problem found, 2 bad command line or settings, "
    "3 something that is needed does not work. docs/commands.md has an example of each command.",
)
@click.version_option(__version__, prog_name="chatproxy", message="%(prog)s %(version)s")
def main() -> None:
    """Run the sidecar, check it, and keep its directory."""
