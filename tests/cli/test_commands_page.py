"""`docs/commands.md` lists the commands that there are, each with an example that is one."""

import re
import shlex

import click
import pytest

from chatproxy.cli import exits, main
from tests.cli.test_every_command import leaves
from tests.sidecar import ROOT

PAGE = (ROOT / "docs" / "commands.md").read_text()
ROWS = re.findall(r"^\| `chatproxy ([a-z -]+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)
COMMANDS = {" ".join(path): command for path, command in leaves(main) if path[0] != "tokens"}


def test_every_command_has_its_row() -> None:
    assert [name for name, _ in ROWS] == sorted(COMMANDS)


@pytest.mark.parametrize(("name", "example"), ROWS, ids=[name for name, _ in ROWS])
def test_an_example_can_be_called(name: str, example: str) -> None:
    called = re.sub(r'^eval "\$\((.*)\)"$', r"\1", example)
    called = re.sub(r"^([A-Z_]+=\S+ )*chatproxy ", "", re.sub(r" [<>] .*", "", called))
    words = shlex.split(called)
    command = COMMANDS[name]
    given = words[len(name.split()) :]

    assert " ".join(words).startswith(name)
    # Files of an example are not here: what is asked for is that there are such parameters.
    with click.Context(command, resilient_parsing=True) as context:
        _, left, _ = command.make_parser(context).parse_args(args=given)

    assert left == []


def test_every_exit_code_is_told() -> None:
    table = re.search(r"\| exit code \| means \|\n.*?\n\n", PAGE, re.DOTALL)
    assert table is not None
    told = {int(code) for code in re.findall(r"\b\d+\b(?=[ ,|].*\|.*\|)", table[0])}

    assert {exits.NO, exits.USAGE, exits.AWAY, exits.INTERRUPTED, exits.CLOSED} <= told
