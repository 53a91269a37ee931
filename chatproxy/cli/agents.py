"""`chatproxy agents …`: the bots with whom an app's users talk."""

from typing import Any, BinaryIO

import click
from marshmallow import Schema, ValidationError, fields

from chatproxy.cli.directory import as_json, opened, printed
from chatproxy.formats import strictjson
from chatproxy.identity.records import DEFAULT_APP, Agent

of_app = click.option(
    "--app", default=DEFAULT_APP, show_default=True, help="The app that it works for."
)

SEEDS = Schema.from_dict(
    {
        "id": fields.String(required=True),
        "name": fields.String(required=True),
        "active": fields.Boolean(load_default=True, truthy={True}, falsy={False}),
        "app": fields.String(load_default=DEFAULT_APP),
    }
)()


@click.group("agents")
def group() -> None:
    """Keep the agents of an app."""


@group.command("create")
@click.argument("name")
@click.option("--id", "agent_id", help="Its id; made up where none is given.")
@of_app
@as_json
def create(name: str, agent_id: str | None, app: str, as_json: bool) -> None:
    """Make an agent, active from the start."""
    with opened() as directory:
        agent = directory.agents.create(name, app, agent_id)

    printed(_row(agent), as_json=as_json)


@group.command("list")
@click.option("--app", help="Only those of one app.")
@as_json
def show(app: str | None, as_json: bool) -> None:
    """List the agents, oldest first."""
    with opened() as directory:
        rows = [_row(agent) | {"app": agent.app_id} for agent in directory.agents.list(app)]

    printed(rows, as_json=as_json)


@group.command("import")
@click.argument("file", type=click.File("rb"))
@as_json
def take_over(file: BinaryIO, as_json: bool) -> None:
    """Make the agents of a JSON document that are not there yet; leave the others as they are.

    The document is a list of objects with `id` and `name`, perhaps `active` and `app`.
    """
    try:
        seeds = SEEDS.load(strictjson.read(file.read()), many=True)
    except (ValueError, ValidationError) as error:
        raise click.ClickException(f"{file.name} is not a list of agents: {error}") from error

    with opened() as directory:
        made = directory.agents.seed(seeds)

    printed({"made": made, "known": len(seeds) - made}, as_json=as_json)


@group.command("activate")
@click.argument("agent_id", metavar="ID")
@of_app
@as_json
def activate(agent_id: str, app: str, as_json: bool) -> None:
    """Switch an agent on."""
    _switch(app, agent_id, active=True, as_json=as_json)


@group.command("deactivate")
@click.argument("agent_id", metavar="ID")
@of_app
@as_json
def deactivate(agent_id: str, app: str, as_json: bool) -> None:
    """Switch an agent off; the tokens for it are refused from then on."""
    _switch(app, agent_id, active=False, as_json=as_json)


def _switch(app: str, agent_id: str, *, active: bool, as_json: bool) -> None:
    with opened() as directory:
        directory.agents.set_active(app, agent_id, active=active)

    printed({"id": agent_id, "active": active}, as_json=as_json)


def _row(agent: Agent) -> dict[str, Any]:
    return {"id": agent.id, "name": agent.name, "active": agent.active}
