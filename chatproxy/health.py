"""`chatproxy health [--ready]`: asks the sidecar beside it, for a probe that runs a command.

A probe runs every few seconds for as long as the sidecar lives, so it must cost next to nothing:
nothing else of chatproxy is imported here, and of the standard library only what Python has loaded
by then or what is written in C. `socket` alone would cost as much as Python's own start.
"""

from __future__ import annotations

import _socket
import _thread
import os
import sys

TYPE_CHECKING = False  # `typing` is not loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: As the settings have them; a test holds that they agree.
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 3000

#: Seconds. Readiness itself waits for the directory and for Redis, 0.75 s at most.
DEFAULT_TIMEOUT = 3.0
LONGEST_TIMEOUT = 3600.0

#: Where a server listens on every address, it is asked on loopback.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound to

#: Bytes of an answer that are read; ours have a few hundred.
LARGEST_ANSWER = 65536

#: Where the status routes are. Nothing else of the settings matters here.
NAMES = ("HTTP_PORT", "BIND_HOST", "STATUS_PORT", "STATUS_HOST")

HEALTHY, UNHEALTHY, UNUSABLE = 0, 1, 2


class Unhealthy(Exception):
    """Why the sidecar is not alive or not ready; one line."""


class Unusable(Exception):
    """Nobody can be asked: a variable or an argument is wrong; one line."""


def read(arguments: Sequence[str]) -> tuple[bool, str | None, float] | None:
    """Return whether readiness is asked, the URL if one is given, and the seconds to wait.

    None where there is more to say than a probe needs: for help, and for what is no option.
    """
    ready, url, timeout = False, None, DEFAULT_TIMEOUT
    left = list(arguments)

    while left:
        name, given, value = left.pop(0).partition("=")

        if name == "--ready" and not given:
            ready = True
        elif name in ("--url", "--timeout") and (given or left):
            value = value if given else left.pop(0)

            if name == "--url":
                url = value
            elif (seconds := _seconds(value)) is not None:
                timeout = seconds
            else:
                return None
        else:
            return None

    return ready, url, timeout


def run(ready: bool, url: str | None, timeout: float, environ: Mapping[str, str]) -> int:
    """Ask, and say in one line what was found; return the exit code."""
    path = "/-/ready" if ready else "/-/healthz"

    try:
        host, port = address(environ) if url is None else _address_in(url)
        _bounded(lambda: _ask(host, port, path), timeout, f"{host}:{port}")
    except Unhealthy as error:
        _write(2, f"chatproxy health: {path} at {error}")
        return UNHEALTHY
    except Unusable as error:
        _write(2, f"chatproxy health: {error}")
        return UNUSABLE
    except KeyboardInterrupt:
        return 130

    _write(1, "ready" if ready else "alive")
    return HEALTHY


def address(environ: Mapping[str, str]) -> tuple[str, int]:
    """Return host and port of the status routes, by the variables that the server reads."""
    given = {name: _stripped(environ.get(name, "")) for name in NAMES}
    name = "STATUS_PORT" if given["STATUS_PORT"] else "HTTP_PORT"
    host = given["BIND_HOST"] or DEFAULT_HOST

    if name == "STATUS_PORT":
        host = given["STATUS_HOST"] or host

    return host, _port(given[name] or str(DEFAULT_PORT), name)


def _stripped(text: str) -> str:
    return text.removeprefix("\ufeff").strip(" \t\r\n")  # as `settings.secret_text` does


def _port(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) < 65536):
        raise Unusable(f"{name}: is not a port number from 1 to 65535.")

    return int(text)


def _address_in(url: str) -> tuple[str, int]:
    scheme, _, rest = url.partition("://")
    authority = rest.removesuffix("/")
    host, colon, port = authority.rpartition(":")

    if not colon or authority.endswith("]"):
        host, port = authority, "80"

    usable = authority.isascii() and not set(authority) & set("/?#@ ")

    if scheme.lower() != "http" or not host or not usable:
        raise Unusable("--url: is not an http URL of a host alone, such as http://127.0.0.1:3000.")

    return host.removeprefix("[").removesuffix("]"), _port(port, "--url")


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _bounded(ask: Callable[[], None], timeout: float, where: str) -> None:
    """Run it for so many seconds at most, a name look-up that hangs included."""
    if not 0 < timeout <= LONGEST_TIMEOUT:  # nor is NaN
        raise Unusable(f"--timeout: is not above 0 and at most {LONGEST_TIMEOUT:g} seconds.")

    done = _thread.allocate_lock()
    failures: list[Exception] = []
    done.acquire()

    def asking() -> None:
        try:
            ask()
        except Exception as error:  # noqa: BLE001 - raised again below
            failures.append(error)
        finally:
            done.release()

    _thread.start_new_thread(asking, ())

    if not done.acquire(timeout=timeout):
        raise Unhealthy(f"{where} has not answered within {timeout:g} s.")

    for error in failures:
        reason = error if isinstance(error, Unhealthy) else _reason(error)
        raise Unhealthy(f"{where} {reason}") from error


def _ask(host: str, port: int, path: str) -> None:
    """Raise `Unhealthy`, or the error of the connection, unless the answer is 200."""
    # HTTP/1.0: the answer comes in one piece, and its end is that of the connection.
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\nUser-Agent: chatproxy-health\r\n\r\n"
    connection = _connected(host, port)

    try:
        connection.sendall(request.encode())
        answer = _read_whole(connection)
    finally:
        connection.close()

    head, _, body = answer.partition(b"\r\n\r\n")
    version, _, rest = head.partition(b" ")

    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise Unhealthy("did not answer in HTTP.")

    if rest[:3] != b"200":
        raise Unhealthy(f"answered {rest[:3].decode()}{_message_in(body)}")


def _connected(host: str, port: int) -> _socket.socket:
    failure: OSError | None = None
    # As bytes: Python would load its tables of international names for a text.
    addresses = _socket.getaddrinfo(host.encode("ascii"), port, type=_socket.SOCK_STREAM)

    for family, kind, protocol, _, found in addresses:
        connection = _socket.socket(family, kind, protocol)
        asked = str(found[0])

        try:
            connection.connect((LOOPBACK.get(asked, asked), *found[1:]))
        except OSError as error:
            failure = error
            connection.close()
        else:
            return connection

    raise failure or OSError("has no address")


def _read_whole(connection: _socket.socket) -> bytes:
    answer = b""

    while len(answer) < LARGEST_ANSWER and (piece := connection.recv(LARGEST_ANSWER)):
        answer += piece

    return answer


def _message_in(body: bytes) -> str:
    # Only here, where something is wrong: it costs as much as all the rest.
    import json

    try:
        message = json.loads(body)["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return "."

    # Another program may be at the port; one line is promised.
    shown = "".join(one if one.isprintable() else " " for one in str(message)[:1000])
    return f": {shown}"


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refuses connections: nothing listens there."

    return f"cannot be asked ({getattr(error, 'strerror', None) or type(error).__name__})."


def _write(descriptor: int, line: str) -> None:
    # Not by `print`: it fails where the stream is closed or broken, or its disk full, and Python
    # would add a traceback and an exit code of its own.
    if (sys.stdout if descriptor == 1 else sys.stderr) is not None:
        try:  # noqa: SIM105 - `contextlib` is not loaded
            os.write(descriptor, f"{line}\n".encode(errors="replace"))
        except OSError:
            pass
