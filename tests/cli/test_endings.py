"""How every command ends: its exit code, what it says, and what it does not import."""

import subprocess
import sys

import pytest

from chatproxy import __version__
from chatproxy.cli import COMMANDS, main
from tests.commands import finished
from tests.sidecar import ROOT, bare_environ

PROGRAM = (sys.executable, "-m", "chatproxy")


def in_shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell, in which `$C` is the program."""
    environ = bare_environ() | {"C": " ".join(PROGRAM)}
    return finished(["bash", "-c", line], environ)


@pytest.mark.parametrize("arguments", ["--help", "--version", "completion bash", "keys --help"])
def test_nobody_who_reads_is_a_quiet_end(arguments: str) -> None:
    done = in_shell(f"$C {arguments} | true; echo ${{PIPESTATUS[0]}}")

    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.parametrize("arguments", ["--help", "--version", "completion bash"])
def test_a_full_disk_below_the_output_is_told(arguments: str) -> None:
    done = in_shell(f"$C {arguments} > /dev/full")

    assert done.returncode == 3
    assert done.stderr == "Error: the output cannot be written (No space left on device)\n"


@pytest.mark.parametrize("arguments", ["--help", "--version"])
def test_an_output_that_is_closed_is_as_dev_null(arguments: str) -> None:
    done = in_shell(f"$C {arguments} >&-")

    assert (done.returncode, done.stderr) == (0, "")


def test_where_nothing_can_be_said_the_code_tells() -> None:
    assert in_shell("$C nonsense 2> /dev/full").returncode == 2
    assert in_shell("$C --help > /dev/full 2> /dev/full").returncode == 3
    assert in_shell("$C --help > /dev/full 2>&-").returncode == 3


def test_a_slip_in_a_command_is_a_fault_of_the_command_line() -> None:
    done = finished([*PROGRAM, "kys", "list"], bare_environ())

    assert done.returncode == 2
    assert "Did you mean 'keys'?" in done.stderr
    assert done.stdout == ""


def test_the_version_is_the_packages() -> None:
    assert finished([*PROGRAM, "--version"], bare_environ()).stdout == f"chatproxy {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str) -> None:
    done = finished([*PROGRAM, "completion", shell], bare_environ())

    assert done.returncode == 0
    assert "_CHATPROXY_COMPLETE" in done.stdout


def test_the_shell_is_given_commands_and_options() -> None:
    environ = bare_environ() | {"_CHATPROXY_COMPLETE": "bash_complete"}
    words = {"COMP_WORDS": "chatproxy keys cr", "COMP_CWORD": "2"}
    done = finished(PROGRAM, environ | words)

    assert done.stdout == "plain,create\n"


def test_the_shell_is_given_no_former_name() -> None:
    environ = bare_environ() | {"_CHATPROXY_COMPLETE": "bash_complete"}
    done = finished(PROGRAM, environ | {"COMP_WORDS": "chatproxy tok", "COMP_CWORD": "1"})

    assert done.stdout == "plain,token\n"


def test_help_and_version_load_nothing_that_they_do_not_need() -> None:
    script = (
        "import sys; from chatproxy.cli import main\n"
        "try: main.main(sys.argv[1:])\n"
        "except SystemExit: print([one for one in ('marshmallow', 'sqlalchemy', 'flask')"
        " if one in sys.modules])"
    )

    for arguments in (["--help"], ["--version"], ["completion", "bash"]):
        done = finished([sys.executable, "-c", script, *arguments], bare_environ(), folder=ROOT)
        assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_its_help_says_first(name: str) -> None:
    place, command = COMMANDS[name], COMMANDS[name].load()

    assert command.help is not None
    assert place.hidden or command.help.startswith(place.summary)
    assert main.commands[name].hidden == place.hidden
