"""`make run`: the sidecar under gunicorn, with the stand-in where no account is set."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from chatproxy import settings
from chatproxy.errors import SettingsError
from chatproxy.formats.authority import is_loopback
from chatproxy.providers import SETTINGS
from chatproxy.providers.stream.settings import STAND_IN_KEY, STAND_IN_SECRET
from chatproxy.settings import Settings
from chatproxy.settings.variables import is_given

from . import ports
from .processes import Process, are_alive, pass_signals_on, wait

STAND_IN_HOST = "127.0.0.1"
STAND_IN_PORT = 3001
#: Where another port is named for the stand-in. The sidecar knows no such variable.
STAND_IN_VARIABLE = "STAND_IN_PORT"
READY_WITHIN = 20.0
COMMAND = ".venv/bin/chatproxy"
SAMPLE_CONFIG = Path("configmap") / "style.json"

ACCOUNT = ("STREAM_API_KEY", "STREAM_API_SECRET")
ELSEWHERE = ("STREAM_BASE_URL", "STREAM_AUTH_TOKEN")


def run(application: str, folder: Path) -> int:
    """Run until a signal or the end of a process; return the exit code.

    Raises `SettingsError` or `ports.PortsTaken` before anything is started.
    """
    environ = dict(os.environ)
    with_stand_in = _needs_stand_in(environ)
    stand_in_port = _stand_in_port(environ)

    if with_stand_in:
        environ.update(_stand_in_account(folder, environ, stand_in_port))

    environ = local_environ(environ)

    found = settings.load(SETTINGS, environ)
    _check_ports(found, stand_in_port if with_stand_in else None)
    processes = {"stand-in": _start_stand_in(stand_in_port)} if with_stand_in else {}
    processes["sidecar"] = _start_sidecar(application, environ)
    told = pass_signals_on([*processes.values()])

    if _is_ready(found, processes):
        said = greeting(
            found.http_port,
            found.service_prefix,
            with_stand_in=with_stand_in,
            knows_users=found.directory is not None,
        )
        print(said, file=sys.stderr)

    return wait(processes, told)


def local_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with what is otherwise on a local run."""
    local = {}

    if not is_given(environ, "LOG_FORMAT"):
        local["LOG_FORMAT"] = "text"  # somebody sits before it

    if is_loopback(environ.get("BIND_HOST") or "localhost") and "PROVIDERS" not in environ:
        local["PROVIDERS"] = ",".join(SETTINGS)  # a local run shows all there is

    return {**environ, **local}


def _stand_in_port(environ: Mapping[str, str]) -> int:
    text = environ.get(STAND_IN_VARIABLE, "").strip() or str(STAND_IN_PORT)

    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise SettingsError([f"{STAND_IN_VARIABLE}: is not a port number from 1 to 65535."])

    return int(text)


def _check_ports(found: Settings, stand_in_port: int | None) -> None:
    """Raise `PortsTaken` where somebody else has one of the ports."""
    wanted = {one.port: (one.setting, one.host) for one in found.listeners()}

    if stand_in_port in wanted:
        setting = wanted[stand_in_port][0]
        raise SettingsError([f"{STAND_IN_VARIABLE}: is also the port of {setting}. Choose two."])

    if stand_in_port is not None:
        wanted[stand_in_port] = (STAND_IN_VARIABLE, STAND_IN_HOST)

    ports.check(wanted)


def _needs_stand_in(environ: Mapping[str, str]) -> bool:
    """Say whether no account is set; refuse half of one."""
    given = [name for name in ACCOUNT + ELSEWHERE if is_given(environ, name)]
    missing = [name for name in ACCOUNT if not is_given(environ, name)]

    if given and missing:
        raise SettingsError(
            [
                f"{name}: is missing while {given[0]} is set. Set both of "
                f"{' and '.join(ACCOUNT)}, or none of {', '.join(ACCOUNT + ELSEWHERE)} "
                "to run with the stand-in."
                for name in missing
            ]
        )

    return not given


def _stand_in_account(folder: Path, environ: Mapping[str, str], port: int) -> dict[str, str]:
    account = {
        "STREAM_API_KEY": STAND_IN_KEY,
        "STREAM_API_SECRET": STAND_IN_SECRET,
        "STREAM_BASE_URL": f"http://{STAND_IN_HOST}:{port}",
    }

    if not is_given(environ, "STYLE_CONFIG") and (folder / SAMPLE_CONFIG).is_file():
        account["STYLE_CONFIG"] = str(folder / SAMPLE_CONFIG)

    return account


def _start_stand_in(port: int) -> Process:
    arguments = ["-m", "sandbox", "serve", "--port", str(port)]
    return subprocess.Popen([sys.executable, *arguments])  # noqa: S603 - our own command


def _start_sidecar(application: str, environ: Mapping[str, str]) -> Process:
    arguments = ["-m", "gunicorn", "-c", "python:chatproxy.gunicorn_conf", application]
    return subprocess.Popen([sys.executable, *arguments], env=dict(environ))  # noqa: S603


def _is_ready(found: Settings, processes: Mapping[str, Process]) -> bool:
    """Wait until our own sidecar serves requests, as long as every process lives."""
    until = time.monotonic() + READY_WITHIN
    status = next(one for one in found.listeners() if "status" in one.serves)
    sidecar = processes["sidecar"]

    while time.monotonic() < until and are_alive(processes):
        # Another process may have taken the port just now, and may well answer that it is ready.
        if ports.is_held_by(status.port, sidecar.pid) is not False and _answers(
            status.host, status.port
        ):
            return are_alive(processes)

        time.sleep(0.1)

    return False


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)

    try:
        connection.request("GET", "/-/ready", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def greeting(port: int, prefix: str, *, with_stand_in: bool, knows_users: bool) -> str:
    """Say what to paste, and what each will answer."""
    base = f"http://127.0.0.1:{port}{prefix}"
    behind = (
        "the stand-in for Stream, no account needed" if with_stand_in else "your Stream account"
    )
    users = """'{"users": {"alice": {"id": "alice", "name": "Alice"}}}'"""
    return f"""
chatproxy listens on {base}, before {behind}. Paste into another terminal:

  curl -s {base}/token/alice
      {{"userId": "alice", "token": "eyJ…"}}: the token with which alice's client connects

  curl -s -H 'Content-Type: application/json' -d {users} {base}/proxy/users
      {{"users": {{"alice": {{"id": "alice", …}}}}, …}}: the provider's own answer

  curl -s -H 'userid: alice' '{base}/config?clientType=web'
      {{"theme": …, "authentication": {{"apiKey": …, "userId": "alice", "userToken": "eyJ…"}}}}

  curl -s http://127.0.0.1:{port}/-/check-up
      {{"status": "OK", …}}: the provider can be reached and accepts our credential
{_greeting_of_users(base) if knows_users else ""}
Ctrl-C ends it.
"""


def _greeting_of_users(base: str) -> str:
    user = """'{"userId": "alice", "name": "Alice"}'"""
    return f"""
  KEY=$({COMMAND} keys create demo --json | grep -o 'pk_[^"]*[.]sk_[^"]*')
      nothing: the shell keeps an API key, which names your service to the sidecar

  curl -s -H "X-API-Key: $KEY" -H 'Content-Type: application/json' -d {user} {base}/tokens
      {{"token": "eyJ…", "wsToken": "eyJ…", …}}: alice's tokens for REST calls and the WebSocket
"""
