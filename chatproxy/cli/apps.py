"""`chatproxy apps …`: apps, each of which has its own users and keys."""

import click

from chatproxy.cli.directory import open_directory
from chatproxy.cli.examples import examples
from chatproxy.cli.output import as_json, print_result


@click.group("apps")
def group() -> None:
    """Keep the apps. One, `default`, is there from the start."""


@group.command(
    "create",
    epilog=examples("chatproxy apps create Shop", "chatproxy apps create Shop --id shop --json"),
)
@click.argument("name")
@click.option("--id", "app_id", help="Its id; made up where none is given.")
@as_json
def create(name: str, app_id: str | None, as_json: bool) -> None:
    """Make an app."""
    with open_directory() as directory:
        app = directory.apps.create(name, app_id)

    print_result({"id": app.id, "name": app.name}, as_json=as_json)


@group.command("list", epilog=examples("chatproxy apps list", "chatproxy apps list --json"))
@as_json
def show(as_json: bool) -> None:
    """List the apps, oldest first."""
    with open_directory() as directory:
        rows = [{"id": app.id, "name": app.name} for app in directory.apps.list()]

    print_result(rows, as_json=as_json)
