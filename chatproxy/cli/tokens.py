"""`chatproxy tokens …`: revoke tokens that were issued."""

import click

from chatproxy.cli.directory import as_json, open_directory, print_result
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.services import Clock

#: Seconds for which a revoked id is kept. Tokens made here expire long before. The lifetime of
#: one made elsewhere with the same secret is not known.
REMEMBERED = 10 * 365 * 24 * 3600


@click.group("tokens")
def group() -> None:
    """End user tokens. Each is refused by every worker from then on."""


@group.command("revoke")
@click.option("--app", default=DEFAULT_APP, show_default=True, help="Whose tokens.")
@click.option("--user", help="All tokens of one user.")
@click.option("--id", "token_id", help="The tokens of one id (`jti`).")
@click.option("--all", "everything", is_flag=True, help="All tokens of the app.")
@as_json
def revoke(
    app: str, user: str | None, token_id: str | None, everything: bool, as_json: bool
) -> None:
    """End tokens: of a user, of one id, or of the whole app."""
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

    print_result({"revoked": True}, as_json=as_json)
