"""`chatproxy agents …`: the bots that an app's users talk to."""

from typing import Any, BinaryIO

import click

from chatproxy.cli.directory import open_directory
from chatproxy.cli.examples import examples
from chatproxy.cli.output import as_json, print_result
from chatproxy.formats import agent_list
from chatproxy.identity.records import DEFAULT_APP, Agent

app_option = click.option(
    "--app", default=DEFAULT_APP, show_default=True, help="The app that it works for."
)


@click.group("agents")
def group() -> None:
    """Keep the agents of an app."""


@group.command(
    "create",
    epilog=examples(
        'chatproxy agents create "Support bot"',
        'chatproxy agents create "Support bot" --id support --app shop --json',
    ),
)
@click.argument("name")
@click.option("--id", "agent_id", help="Its id; made up where none is given.")
@app_option
@as_json
def create(name: str, agent_id: str | None, app: str, as_json: bool) -> None:
    """Make an agent, active from the start."""
    with open_directory() as directory:
        agent = directory.agents.create(name, app, agent_id)

    print_result(_row(agent), as_json=as_json)


@group.command(
    "list", epilog=examples("chatproxy agents list", "chatproxy agents list --app shop --json")
)
@click.option("--app", help="Only those of one app.")
@as_json
def show(app: str | None, as_json: bool) -> None:
    """List the agents, oldest first."""
    with open_directory() as directory:
        rows = [_row(agent) | {"app": agent.app_id} for agent in directory.agents.list(app)]

    print_result(rows, as_json=as_json)


@group.command(
    "import",
    epilog=examples(
        "chatproxy agents import agents.json", "chatproxy agents import - --json < agents.json"
    ),
)
@click.argument("file", type=click.File("rb"))
@as_json
def import_agents(file: BinaryIO, as_json: bool) -> None:
    """Make the agents of a JSON document that are not there yet; leave the others as they are.

    The document is a list of objects with `id` and `name`, perhaps `active` and `app`.
    """
    try:
        seeds = [{"app": DEFAULT_APP, **one} for one in agent_list.read(file.read())]
    except ValueError as error:
        raise click.ClickException(f"{file.name} is not a list of agents: {error}") from error

    with open_directory() as directory:
        made = directory.agents.seed(seeds)

    print_result({"made": made, "known": len(seeds) - made}, as_json=as_json)


@group.command("activate", epilog=examples("chatproxy agents activate support"))
@click.argument("agent_id", metavar="ID")
@app_option
@as_json
def activate(agent_id: str, app: str, as_json: bool) -> None:
    """Switch an agent on."""
    _set_active(app, agent_id, active=True, as_json=as_json)


@group.command("deactivate", epilog=examples("chatproxy agents deactivate support --app shop"))
@click.argument("agent_id", metavar="ID")
@app_option
@as_json
def deactivate(agent_id: str, app: str, as_json: bool) -> None:
    """Switch an agent off; the tokens for it are refused from then on."""
    _set_active(app, agent_id, active=False, as_json=as_json)


def _set_active(app: str, agent_id: str, *, active: bool, as_json: bool) -> None:
    with open_directory() as directory:
        directory.agents.set_active(app, agent_id, active=active)

    print_result({"id": agent_id, "active": active}, as_json=as_json)


def _row(agent: Agent) -> dict[str, Any]:
    return {"id": agent.id, "name": agent.name, "active": agent.active}
