"""A token as a command is given it."""

import sys

import click

from chatproxy.cli.exits import Failure

#: Bytes of the longest that is read; a token is far shorter.
LONGEST = 64 * 1024

STDIN = "-"

token_argument = click.argument("token", default=STDIN)


def text_of(token: str) -> str:
    """Return a token, that on stdin for `-`; raise `Failure` where there is none."""
    # In the list of processes, and in the shell's history, an argument is there for others.
    text = _stdin() if token == STDIN else token
    scheme, _, rest = text.strip().partition(" ")
    text = rest.strip() if scheme.lower() == "bearer" else text.strip()

    if not text:
        raise Failure("there is no token on stdin")

    return text


def _stdin() -> str:
    if sys.stdin is None:
        return ""

    return sys.stdin.buffer.read(LONGEST).decode("utf-8", "replace")
