"""`chatproxy run`: try the sidecar in a checkout."""

import os
import sys
from pathlib import Path

import click

from chatproxy.cli.examples import examples
from chatproxy.cli.exits import USAGE, Failure

#: Not in the wheel: this package exists only in a checkout, where it starts the stand-ins.
LOCAL_RUN = "sandbox"


@click.command(
    "run", epilog=examples("chatproxy run", "HTTP_PORT=3100 STAND_IN_PORT=3101 chatproxy run")
)
@click.argument("application", default="wsgi:app")
def run(application: str) -> None:
    """Try the sidecar in a checkout. Where no account is set, with a stand-in."""
    if not Path(LOCAL_RUN).is_dir():
        raise Failure(
            "a local run needs a checkout, from whose folder this is called. Elsewhere: "
            "chatproxy serve",
            USAGE,
        )

    os.execv(sys.executable, [sys.executable, "-m", LOCAL_RUN, "run", application])  # noqa: S606
