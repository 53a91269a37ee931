"""A group whose commands are imported when they are called: help and completion load none."""

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from chatproxy.cli.exits import closed_output_told, ending


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a command is, as `module:attribute` of this room, and its line in the list."""

    where: str
    summary: str
    hidden: bool = False

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.where.partition(":")
        found = getattr(importlib.import_module(f"chatproxy.cli.{module}"), attribute)
        assert isinstance(found, click.Command)  # noqa: S101
        return found


class LazyGroup(click.Group):
    """A group of commands that are imported when they are called."""

    def __init__(self, *args: Any, places: Mapping[str, Place], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = places

        # What stands in for them is enough to list them, and to guess what a slip was to be.
        for name, place in places.items():
            self.add_command(click.Command(name, help=place.summary, hidden=place.hidden))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        place = self.places.get(cmd_name)
        return super().get_command(ctx, cmd_name) if place is None else place.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        rows = [
            (name, command.get_short_help_str(limit=100))
            for name, command in sorted(self.commands.items())
            if not command.hidden
        ]

        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name without importing any."""
        names = (name for name, one in self.commands.items() if not one.hidden)
        found = [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
        return found + super(click.Group, self).shell_complete(ctx, incomplete)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the command line, which prints where it asks for help or the version."""
        with closed_output_told():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with closed_output_told():
            return super().invoke(ctx)

    def main(  # type: ignore[override]  # always ends the process
        self, args: Any = None, prog_name: str | None = None, **extra: Any
    ) -> Any:
        """Run a command, and end the process by the exit codes of the house."""
        with ending():
            extra["standalone_mode"] = False
            status = super().main(args, prog_name or "chatproxy", **extra)

            # `--help` and `--version` end early, and click returns their code.
            if isinstance(status, int):
                raise click.exceptions.Exit(status)
