"""Whether a port can be had, and who listens on it, as far as `/proc` tells (proc(5))."""

import contextlib
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

from chatproxy.server.ports import problems

PROC = Path("/proc")
#: TCP_LISTEN, as `/proc/net/tcp` has it.
LISTENING = "0A"
SOCKET = re.compile(r"socket:\[(\d+)\]")
#: How far away another port is proposed.
NEXT = 100


class PortsTaken(Exception):  # noqa: N818 - a state, and what to do about it
    """What is to be listened on cannot be. The text has a line for each port."""


def check(wanted: Mapping[int, tuple[str, str]], command: str = "make run") -> None:
    """Raise `PortsTaken` where a port cannot be had; it comes with its variable and address."""
    variables = {port: variable for port, (variable, _) in wanted.items()}
    lines = []

    for port, (variable, host) in wanted.items():
        for line in problems([(host, port)], variables, time.monotonic):
            who = f" It is {found}." if (found := holder(port)) else ""
            other = port + NEXT if port + NEXT < 65536 else port - NEXT
            lines.append(f"{line}{who} Such as: {variable}={other} {command}")

    if lines:
        raise PortsTaken("\n".join(lines))


def holder(port: int) -> str:
    """Say which process listens on a port: its id and its command, empty where nobody can tell."""
    wanted = _sockets_on(port)

    for folder in PROC.glob("[0-9]*") if wanted else ():
        if wanted & _sockets_of(folder):
            return f"process {folder.name} ({_command(folder)})"

    return ""


def is_held_by(port: int, pid: int) -> bool | None:
    """Say whether a process listens on a port, None where that cannot be told."""
    if not (PROC / "net" / "tcp").exists():
        return None

    return bool(_sockets_on(port) & _sockets_of(PROC / str(pid)))


def _sockets_on(port: int) -> set[str]:
    found: set[str] = set()

    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()

                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(fields[9])

    return found


def _sockets_of(folder: Path) -> set[str]:
    found: set[str] = set()

    # Of another user's process nothing is shown, and one may end meanwhile.
    with contextlib.suppress(OSError):
        for descriptor in (folder / "fd").iterdir():
            with contextlib.suppress(OSError):
                if socket := SOCKET.fullmatch(os.readlink(descriptor)):
                    found.add(socket[1])

    return found


def _command(folder: Path) -> str:
    with contextlib.suppress(OSError):
        # Not the whole command line, which may hold a secret.
        return (folder / "comm").read_text().strip()

    return "?"
