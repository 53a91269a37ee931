"""`chatproxy permissions …`: the permissions at a provider, and the document that they follow."""

import contextlib
import json
import logging
import sys
from collections.abc import Iterator

import click

from chatproxy import settings
from chatproxy.cli.examples import examples
from chatproxy.cli.exits import NO, USAGE, Failure
from chatproxy.cli.output import as_json, print_result, shown
from chatproxy.providers import SETTINGS
from chatproxy.providers.base import KeepsPermissions
from chatproxy.providers.permissions import Ask, Fault, Permissions, Write, put_in_force
from chatproxy.providers.registry import REGISTRY
from chatproxy.services import open_services
from chatproxy.upkeep.asking import asker

#: Those that have a document of permissions.
NAMES = tuple(name for name, one in SETTINGS.items() if one.permissions_document)

provider_option = click.option(
    "--provider",
    "name",
    type=click.Choice(NAMES),
    default=NAMES[0],
    show_default=True,
    help="Whose.",
)
file_option = click.option(
    "--file", "file", type=click.Path(), help="The document, in place of that of the settings."
)


@click.group("permissions")
def group() -> None:
    """Keep the permissions at a provider. PERMISSIONS_CONFIG names the document that they follow.

    A sidecar puts it in force by itself, at each start and when it changes.
    """


@group.command(
    "diff",
    epilog=examples(
        "chatproxy permissions diff", "chatproxy permissions diff --file permissions.json --json"
    ),
)
@provider_option
@file_option
@as_json
def diff(name: str, file: str | None, as_json: bool) -> None:
    """Show what has to change at the provider for the document to be in force.

    Nothing is written. The exit code is 0 where nothing differs, and 1 where something does.
    """
    with _document(name, file) as (kept, ask):
        plan = kept.plan(ask)

    faults = [Fault(one) for one in plan.faults]

    if as_json:
        differs = bool(plan.writes or plan.faults)
        writes = [_shown(one) for one in plan.writes]
        print_result(
            {"differs": differs, "writes": writes, "faults": [*map(str, faults)]}, as_json=True
        )
    else:
        for change in (change for write in plan.writes for change in write.changes):
            click.echo(shown(change))

        _tell(faults)

        if not plan.writes and not plan.faults:
            click.echo("nothing differs")

    if plan.writes or plan.faults:
        sys.exit(NO)


@group.command(
    "apply",
    epilog=examples(
        "chatproxy permissions apply", "chatproxy permissions apply --file permissions.json"
    ),
)
@provider_option
@file_option
@as_json
def apply(name: str, file: str | None, as_json: bool) -> None:
    """Change at the provider what differs from the document, and say each change.

    It may be called again and again: what is there already is not written. The exit code is 0
    where all of the document is in force, and 1 where the provider refuses a part of it.
    """
    made: list[Write] = []

    def told(write: Write) -> None:
        made.append(write)

        if not as_json:
            for change in write.changes:
                click.echo(shown(change))

    with _document(name, file) as (kept, ask):
        done = put_in_force(kept, ask, told)
        assert done is not None  # noqa: S101 - nothing tells it to stop

    if as_json:
        writes = [_shown(one) for one in made]
        faults = [*map(str, done.faults)]
        print_result({"inForce": not faults, "writes": writes, "faults": faults}, as_json=True)
    else:
        _tell(done.faults)
        click.echo(f"{done.writes} written" if done.writes else "nothing differs, nothing written")

    if done.faults:
        sys.exit(NO)


@group.command(
    "export",
    epilog=examples(
        "chatproxy permissions export > permissions.json",
        "chatproxy permissions export --version 1 --json",
    ),
)
@provider_option
@click.option(
    "--version",
    type=click.Choice(("1", "2")),
    help="Of which permission system, in place of PERMISSIONS_VERSION.",
)
@as_json
def export(name: str, version: str | None, as_json: bool) -> None:
    """Print what there is at the provider, as a document which changes nothing."""
    with _asked(name, {}) as (provider, ask):
        document = provider.export_permissions(ask, version)

    if as_json:
        print_result(document, as_json=True)
    else:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))


@contextlib.contextmanager
def _document(name: str, file: str | None) -> Iterator[tuple[Permissions, Ask]]:
    """Give the document, and what asks its provider; raise `Failure` where there is none."""
    variable = SETTINGS[name].permissions_document

    with _asked(name, {variable: file}) as (provider, ask):
        if provider.permissions is None:
            raise Failure(f"{variable} is not set. Name the document by --file", USAGE)

        yield provider.permissions, ask


@contextlib.contextmanager
def _asked(name: str, documents: dict[str, str | None]) -> Iterator[tuple[KeepsPermissions, Ask]]:
    # What a server's log says of an answer is here said by the command.
    logging.getLogger("chatproxy").addHandler(logging.NullHandler())
    found = settings.load_for_commands(providers={name: SETTINGS[name]}, documents=documents)
    provider = REGISTRY[name]().provider(found.provider_settings[name])
    assert isinstance(provider, KeepsPermissions)  # noqa: S101 - as its settings say
    services = open_services(found, [provider])

    try:
        yield provider, asker(services.backends[name], services.clock.now)
    finally:
        services.close()


def _shown(write: Write) -> dict[str, object]:
    request = write.request
    return {"method": request.method, "path": request.path, "changes": list(write.changes)}


def _tell(faults: list[Fault] | tuple[Fault, ...]) -> None:
    for one in faults:
        click.echo(f"Error: {shown(str(one))}", err=True)
