"""`chatproxy token …`: user tokens."""

import click

from chatproxy.cli.directory import open_directory
from chatproxy.cli.output import as_json, print_result
from chatproxy.clock import Clock
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.providers import SETTINGS

#: Seconds for which a revoked id is kept. Tokens made here expire long before. The lifetime of
#: one made elsewhere with the same secret is not known.
REMEMBERED = 10 * 365 * 24 * 3600


@click.group("token")
def group() -> None:
    """Make user tokens, look into them, and end them."""


@group.command("revoke")
@click.option("--app", default=DEFAULT_APP, show_default=True, help="Whose tokens.")
@click.option("--user", help="All tokens of one user.")
@click.option("--id", "token_id", help="The tokens of one id (`jti`).")
@click.option("--all", "everything", is_flag=True, help="All tokens of the app.")
@as_json
def revoke(
    app: str, user: str | None, token_id: str | None, everything: bool, as_json: bool
) -> None:
    """End tokens: of a user, of one id, or of the whole app.

    The answer names the providers whose tokens that ends, and those whose tokens stay good.
    """
    if sum((user is not None, token_id is not None, everything)) != 1:
        raise click.UsageError("give one of --user, --id, --all")

    with open_directory() as directory:
        if user is not None:
            found = directory.tokens.revoke_user(app, user)
        elif token_id is not None:
            directory.tokens.revoke_token(app, token_id, Clock().now() + REMEMBERED)
            found = True
        else:
            found = directory.tokens.revoke_app(app)

    if not found:
        reason = "there is no such user" if user is not None else f"there is no app {app}"
        raise click.ClickException(reason)

    _tell(token_id, as_json=as_json)


def _tell(token_id: str | None, *, as_json: bool) -> None:
    """Say which providers' tokens are ended, and which are not. An id has one token only."""
    stay = {name: one.tokens_stay for name, one in SETTINGS.items() if one.tokens_stay}
    ended = [name for name in SETTINGS if name not in stay]

    if as_json:
        whose = {} if token_id else {"ended": ended}
        print_result({"revoked": True, **whose, "notEnded": stay}, as_json=True)
        return

    whose_is = f"of the id {token_id}" if token_id else f"of {', '.join(ended)}"
    click.echo(f"ended: tokens {whose_is}, at every sidecar with this directory")

    for name, reason in stay.items():
        click.echo(f"not ended: tokens of {name}. {reason}")
