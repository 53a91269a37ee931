"""`chatproxy users show` and `delete`."""

import sys
from typing import Any

import click

from chatproxy.cli.directory import open_directory
from chatproxy.cli.examples import examples
from chatproxy.cli.exits import Failure
from chatproxy.cli.output import as_json, print_result
from chatproxy.formats.timestamps import iso
from chatproxy.identity.records import DEFAULT_APP, User

app_option = click.option(
    "--app", default=DEFAULT_APP, show_default=True, help="The app whose user it is."
)


@click.command(
    "show",
    epilog=examples("chatproxy users show alice", "chatproxy users show alice --app shop --json"),
)
@click.argument("user_id", metavar="ID")
@app_option
@as_json
def show(user_id: str, app: str, as_json: bool) -> None:
    """Show what is known of a user."""
    with open_directory() as directory:
        user = directory.users.find(app, user_id)

    if user is None:
        raise _no_user(user_id, app)

    print_result(_shown(user), as_json=as_json)


@click.command(
    "delete",
    epilog=examples("chatproxy users delete alice", "chatproxy users delete alice --yes --json"),
)
@click.argument("user_id", metavar="ID")
@app_option
@click.option("--yes", is_flag=True, help="Do not ask. Needed where nobody could answer.")
@as_json
def delete(user_id: str, app: str, yes: bool, as_json: bool) -> None:
    """Forget a user, and end all its tokens.

    What was said about it is deleted here. Tokens that the provider alone checks stay good: see
    `token revoke`. Nothing is deleted at the provider, and open WebSockets are not closed.
    """
    if not yes:
        if not (sys.stdin and sys.stdin.isatty()):
            raise click.UsageError("give --yes: nobody is at a terminal to be asked")

        click.confirm(f"Forget the user {user_id} of the app {app}?", abort=True, err=True)

    with open_directory() as directory:
        user = directory.users.delete(app, user_id)

    if user is None:
        raise _no_user(user_id, app)

    print_result({"userId": user_id, "app": app, "deleted": True}, as_json=as_json)


def _no_user(user_id: str, app: str) -> Failure:
    return Failure(f"there is no user {user_id} in the app {app}")


def _shown(user: User) -> dict[str, Any]:
    return {
        "userId": user.external_id,
        "app": user.app_id,
        "name": user.name,
        "image": user.image,
        "email": user.email,
        "custom": user.custom,
        "created": iso(user.created),
        "updated": iso(user.updated),
        "lastSeen": None if user.last_seen is None else iso(user.last_seen),
    }
