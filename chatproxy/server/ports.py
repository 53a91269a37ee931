"""Whether the addresses that are to be listened on can be had."""

import errno
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

#: How long a process that is ending, as at a quick restart, has to leave its port.
PATIENCE = 3.0


def problems(
    addresses: Iterable[object],
    settings: Mapping[int, str],
    monotonic: Callable[[], float],
    patience: float = PATIENCE,
) -> Iterator[str]:
    """Yield a line for each address, a pair of host and port, that cannot be listened on.

    `settings` names the variable behind each port. `patience` is in seconds, for all together.
    """
    until = monotonic() + patience

    for address in addresses:
        # gunicorn's other forms are sockets in the file system and descriptors.
        if isinstance(address, tuple):
            host, port = address
            problem = _problem(host, port)

            while problem and problem.errno == errno.EADDRINUSE and monotonic() < until:
                time.sleep(0.1)
                problem = _problem(host, port)

            if problem:
                yield f"{settings.get(port, 'bind')}: {_told(problem, host, port)}"


def _problem(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET

    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the server's own socket: what former connections left behind is no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error

    return None


def _told(problem: OSError, host: str, port: int) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"another process listens on {host} port {port}. End it, or choose another port."

    if problem.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine."

    return f"cannot listen on {host} port {port} ({problem.strerror})."
