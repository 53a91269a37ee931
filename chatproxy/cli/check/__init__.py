"""`chatproxy check`: every problem that would stop a start, or show later, at once.

| file | what |
|---|---|
| `findings` | what is found, and its place |
| `database` | the directory's database |
| `online` | the servers that are depended on |
"""

import sys
from collections.abc import Iterator

import click

from chatproxy.cli.check.findings import Finding, of_settings
from chatproxy.cli.examples import examples
from chatproxy.cli.exits import NO
from chatproxy.cli.output import as_json, print_result, shown
from chatproxy.providers import SETTINGS
from chatproxy.settings import look
from chatproxy.settings.variables import is_sound


@click.command(
    "check",
    epilog=examples(
        "chatproxy check", "chatproxy check --online --json", "chatproxy check --no-database"
    ),
)
@click.option("--online", is_flag=True, help="Ask the providers, Centrifugo and Redis, too.")
@click.option("--no-database", is_flag=True, help="Leave the database out, as in a build.")
@as_json
def check(online: bool, no_database: bool, as_json: bool) -> None:
    """Look for problems before they stop a start. All are told at once.

    It looks at the settings, at the documents and files that they name, and at the database:
    whether it can be reached, has the schema that is needed, and takes writes. With --online it
    also asks each server whether it accepts our credential; without it nothing but a PostgreSQL
    server is asked over the network. Nothing is made or changed. The exit code is 1 where there is
    a problem; a warning is none.
    """
    findings = list(_look(online=online, with_database=not no_database))
    errors = [one for one in findings if one.level == "error"]

    if as_json:
        levels = {"problems": "error", "warnings": "warning", "fine": "ok"}
        lists = {
            name: [one.document() for one in findings if one.level == level]
            for name, level in levels.items()
        }
        print_result({"ok": not errors, **lists}, as_json=True)
    else:
        for finding in findings:
            click.echo(f"{finding.level:<8} {finding.about}: {shown(finding.message)}")

    if errors:
        sys.exit(NO)


def _look(*, online: bool, with_database: bool) -> Iterator[Finding]:
    found, problems = look(SETTINGS)
    yield from map(of_settings, problems)

    if not problems:
        names = ", ".join(found.provider_settings)
        yield Finding("ok", "settings", f"they can be used; providers: {names}")
        yield from (Finding("warning", "settings", one) for one in found.warnings())

    is_told = any(one.startswith("DATABASE_URL") for one in problems)

    if with_database and found.directory is not None and not is_told:
        from chatproxy.cli.check import database

        yield from database.look(found.directory)

    if online and is_sound(found):
        from chatproxy.cli.check import online as servers

        yield from servers.look(found)
