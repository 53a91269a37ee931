"""`chatproxy token …`: user tokens.

| file | what |
|---|---|
| `minting`, `inspecting`, `revoking` | the commands |
| `reading` | a token from stdin, and which providers look at it |
"""

import click

from chatproxy.cli.lazy import LazyGroup, Place

COMMANDS = {
    "inspect": Place("token.inspecting:inspect", "Show what is known of a token."),
    "mint": Place("token.minting:mint", "Make a user token."),
    "revoke": Place("token.revoking:revoke", "End tokens."),
}


@click.group("token", cls=LazyGroup, places=COMMANDS)
def group() -> None:
    """Make user tokens, look into them, and end them."""
