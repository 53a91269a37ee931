"""`chatproxy db …`: the directory's schema."""

import click

from chatproxy.cli.directory import open_directory


@click.group("db")
def group() -> None:
    """Keep the directory's database."""


@group.command("upgrade")
def upgrade() -> None:
    """Bring the database to the newest schema; harmless where it is there already."""
    with open_directory(upgraded=True):
        click.echo("the directory's schema is up to date", err=True)
