"""`chatproxy …`: the commands, for a person at a terminal and for scripts.

None of them asks a question. Results go to stdout, everything else to stderr.
"""

import os
import sys
from pathlib import Path

import click

from chatproxy.cli import agents, apps, db, health, keys, tokens, users
from chatproxy.cli.serve import serve

#: Not in the wheel: this package exists only in a checkout, where it starts the stand-ins.
LOCAL_RUN = "sandbox"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the sidecar, try it without an account, and keep its directory."""


@main.command()
@click.argument("application", default="wsgi:app")
def run(application: str) -> None:
    """Try the sidecar in a checkout, with a stand-in where no account is set."""
    if not Path(LOCAL_RUN).is_dir():
        raise click.ClickException(
            "a local run needs a checkout, from whose folder this is called. Elsewhere: "
            "chatproxy serve"
        )

    os.execv(sys.executable, [sys.executable, "-m", LOCAL_RUN, "run", application])  # noqa: S606


main.add_command(health.command, "health")
main.add_command(serve)

for group in (agents.group, apps.group, db.group, keys.group, tokens.group, users.group):
    main.add_command(group)
