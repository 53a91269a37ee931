"""`chatproxy config show`: the settings, without their secrets."""

import dataclasses
import itertools
import sys

import click

from chatproxy.cli.examples import examples
from chatproxy.cli.exits import USAGE
from chatproxy.cli.output import as_json, print_result
from chatproxy.cli.output import shown as printable
from chatproxy.providers import SETTINGS
from chatproxy.settings.shown import Shown, shown

SOURCES = {
    "variable": "from the environment",
    "file": "from {path}",
    "kept": "made here, kept in {path}",
    "default": "default",
    "absent": "not set",
    "missing": "missing",
    "unusable": "cannot be used",
}


@click.group("config")
def group() -> None:
    """Show the settings."""


@group.command("show", epilog=examples("chatproxy config show", "chatproxy config show --json"))
@click.option("--given", is_flag=True, help="Leave out what is as it is by default.")
@as_json
def show(given: bool, as_json: bool) -> None:
    """Show every setting, its value, and where it comes from.

    Of a secret it shows that it is set, and nothing of it. Where the settings cannot be used the
    exit code is 2, and `chatproxy check` says why.
    """
    rows, problems = shown(SETTINGS)
    rows = [row for row in rows if not given or row.source not in ("default", "absent")]

    if as_json:
        print_result([_document(row) for row in rows], as_json=True)
    else:
        _print(rows)

    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        click.echo(f"Error: {count} in the settings: run `chatproxy check`", err=True)
        sys.exit(USAGE)


def _document(row: Shown) -> dict[str, object]:
    names = {"in_force": "inForce"}
    fields = dataclasses.asdict(row) | {"set": row.source in ("variable", "file", "kept")}
    return {names.get(name, name): value for name, value in fields.items()}


def _print(rows: list[Shown]) -> None:
    for (part, in_force), some in itertools.groupby(rows, lambda row: (row.part, row.in_force)):
        click.echo(f"{part}{'' if in_force else ' (off)'}")

        for row in some:
            source = SOURCES[row.source].format(path=printable(row.path))
            click.echo(f"  {row.name} = {_value(row)}  ({source})")


def _value(row: Shown) -> str:
    if row.source in ("missing", "unusable"):
        return "?"

    if row.value is not None:
        return printable(row.value)

    return "none" if row.source in ("default", "absent") else "set"
