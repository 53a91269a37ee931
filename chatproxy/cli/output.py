"""How results are printed."""

import json
from typing import Any

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")


def print_result(document: Any, *, as_json: bool) -> None:
    """Print an object, or a list of them, as JSON or for a person."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
        return

    for row in document if isinstance(document, list) else [document]:
        click.echo("  ".join(f"{name}: {shown(value)}" for name, value in row.items()))


def shown(value: Any) -> str:
    """Return a value for a terminal, which a name must not be able to command."""
    is_document = isinstance(value, dict | list | tuple)
    text = json.dumps(value, ensure_ascii=False) if is_document else str(value)
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
