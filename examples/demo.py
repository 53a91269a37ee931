"""`make demo`: stand-ins, the sidecar and three backends with one page. Ctrl-C ends it.

The sidecar's directory and all keys are made anew, in a folder that is removed at the end.
"""

import http.client
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from chatproxy import settings
from chatproxy.access import keys
from chatproxy.cli.directory import directory_of, make_fit
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.providers import SETTINGS
from sandbox import ImbaChatSandbox, IMKitSandbox, imbachat, imkit, ports
from sandbox.processes import Process, are_alive, pass_signals_on, wait

HERE = Path(__file__).parent
HOST = "127.0.0.1"
COMMAND = "make demo"
TOKEN_LIFE = "15m"  # noqa: S105 - how long, not what
READY_WITHIN = 120.0
#: Express 5 needs it, and it is the first with `fetch`.
OLDEST_NODE = 18
INSTALLED = ("node_modules/express", "page/socket.io.js")

#: The variables that choose other ports, and the ports without them.
PORTS = {
    "HTTP_PORT": 3000,
    "CLIENT_PORT": 3002,
    "FLASK_PORT": 3010,
    "FASTAPI_PORT": 3011,
    "EXPRESS_PORT": 3012,
}
#: What is passed on of the environment: no account, and no setting of another run.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


class Missing(Exception):  # noqa: N818 - a state, and what to do about it
    """The demo cannot start. The text says what to do."""


class Server(NamedTuple):
    """One of the demo's processes."""

    port: int
    probe: str
    command: Sequence[str]
    environ: Mapping[str, str]


def main() -> int:
    """Run until Ctrl-C or the end of a process; return the exit code."""
    try:
        chosen = chosen_ports(os.environ)
        check_node()
        ports.check({port: (name, HOST) for name, port in chosen.items()}, COMMAND)
    except (Missing, ports.PortsTaken) as fault:
        print(fault, file=sys.stderr)
        return 3

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chatproxy-demo-")))
        stand_ins = stack.enter_context(IMKitSandbox()), stack.enter_context(ImbaChatSandbox())
        servers = made_servers(folder, chosen, *(one.url for one in stand_ins))
        return run(servers, chosen)


def chosen_ports(environ: Mapping[str, str]) -> dict[str, int]:
    """Return the port of each server; raise `Missing` for a text that is none, or one twice."""
    chosen: dict[str, int] = {}

    for name, usual in PORTS.items():
        text = environ.get(name, "").strip() or str(usual)

        if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
            raise Missing(f"{name}: is not a port number from 1 to 65535.")

        if int(text) in chosen.values():
            other = next(one for one, port in chosen.items() if port == int(text))
            raise Missing(f"{name}: is also the port of {other}. Choose two.")

        chosen[name] = int(text)

    return chosen


def check_node() -> None:
    """Raise `Missing` where Node.js or what npm installs is not here, or is too old."""
    node = shutil.which("node")

    if node is None:
        raise Missing(f"node is not here. The backend in Express needs Node.js {OLDEST_NODE}.")

    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    version = re.fullmatch(r"v(\d+)\.[\d.]+", said.strip())

    if version is None or int(version[1]) < OLDEST_NODE:
        raise Missing(f"node is {said.strip() or 'broken'}, and has to be {OLDEST_NODE} or newer.")

    if not all((HERE / name).exists() for name in INSTALLED):
        raise Missing(f"The packages for Node.js are not here. `{COMMAND}` installs them with npm.")


def made_servers(
    folder: Path, chosen: Mapping[str, int], imkit_url: str, imbachat_url: str
) -> dict[str, Server]:
    """Make the keys and the documents; return what is to be started, in order."""
    bare = {name: os.environ[name] for name in KEPT if name in os.environ}
    access_keys = {name: keys.new_key() for name in ("flask", "fastapi", "express")}
    environ = bare | sidecar_settings(folder, chosen, imkit_url, imbachat_url)
    (folder / "access.yaml").write_text(access_document(access_keys))
    platform_key, client_key = made_keys(environ)
    shared = bare | {
        "SIDECAR_URL": f"http://{HOST}:{chosen['HTTP_PORT']}",
        "CHAT_URL": f"http://{HOST}:{chosen['CLIENT_PORT']}",
        "IMKIT_KEY": platform_key,
        "CLIENT_KEY": client_key,
    }
    sidecar = ("-m", "gunicorn", "-c", "python:chatproxy.gunicorn_conf", "wsgi:app")
    servers = {
        "sidecar": Server(chosen["HTTP_PORT"], "/-/ready", (sys.executable, *sidecar), environ)
    }

    for name, command in commands(chosen).items():
        port = chosen[f"{name.upper()}_PORT"]
        own = {"SIDECAR_KEY": access_keys[name], "SESSION_SECRET": secrets.token_hex(32)}
        servers[f"{name} backend"] = Server(
            port, "/session", command, shared | own | {"PORT": str(port)}
        )

    return servers


def sidecar_settings(
    folder: Path, chosen: Mapping[str, int], imkit_url: str, imbachat_url: str
) -> dict[str, str]:
    """Return the sidecar's settings: two providers, a door for clients, and who may call."""
    pages = (chosen[name] for name in PORTS if name not in ("HTTP_PORT", "CLIENT_PORT"))
    origins = [f"http://{host}:{port}" for port in pages for host in (HOST, "localhost")]
    return {
        "HTTP_PORT": str(chosen["HTTP_PORT"]),
        "CLIENT_PORT": str(chosen["CLIENT_PORT"]),
        "CLIENT_HOST": HOST,
        "PROVIDERS": "imkit,imbachat",
        "ACCESS_CONFIG": str(folder / "access.yaml"),
        "DATABASE_URL": f"sqlite:///{folder}/chatproxy.db",
        "IMKIT_BASE_URL": imkit_url,
        "IMKIT_API_KEY": imkit.API_KEY,
        "IMKIT_CLIENT_KEY": imkit.CLIENT_KEY,
        "IMKIT_TOKEN_TTL": TOKEN_LIFE,
        "IMKIT_ALLOWED_ORIGINS": ",".join(origins),
        "IMBACHAT_BASE_URL": imbachat_url,
        "IMBACHAT_API_PASSWORD": secrets.token_urlsafe(32),
        "IMBACHAT_DEV_ID": imbachat.DEV_ID,
        "IMBACHAT_SECRET_KEY": imbachat.SECRET_KEY,
        "KEY_SIGNING_SECRET": secrets.token_urlsafe(32),
        "LOG_FORMAT": "text",
        "LOG_LEVEL": "warn",
    }


def access_document(access_keys: Mapping[str, str]) -> str:
    """Return `access.yaml` with the digest of each key, as `chatproxy access key` prints it."""
    text = (HERE / "access.yaml").read_text()

    for name, key in access_keys.items():
        text = text.replace(f"{name.upper()}_KEY", keys.written(keys.digest_of(key)))

    return text


def made_keys(environ: Mapping[str, str]) -> tuple[str, str]:
    """Make IMKit's two keys, as `chatproxy keys create` does: for servers, and for the page."""
    with directory_of(settings.load(SETTINGS, environ)) as directory:
        make_fit(directory.database)
        platform = directory.keys.create("demo", DEFAULT_APP, "platform", None)
        client = directory.keys.create("demo-page", DEFAULT_APP, "client", None)
        return platform.text, client.text


def commands(chosen: Mapping[str, int]) -> dict[str, Sequence[str]]:
    """Return what starts each backend."""
    gunicorn = ("-m", "gunicorn", "--threads", "4", "--log-level", "warning")
    uvicorn = ("-m", "uvicorn", "--host", HOST, "--log-level", "warning")
    flask, fastapi = f"{HOST}:{chosen['FLASK_PORT']}", str(chosen["FASTAPI_PORT"])
    return {
        "flask": (sys.executable, *gunicorn, "--bind", flask, "examples.flask_backend:app"),
        "fastapi": (sys.executable, *uvicorn, "--port", fastapi, "examples.fastapi_backend:app"),
        "express": ("node", str(HERE / "express_backend.mjs")),
    }


def run(servers: Mapping[str, Server], chosen: Mapping[str, int]) -> int:
    """Start them, say where to look, and wait."""
    processes: dict[str, Process] = {}

    try:
        for name, one in servers.items():
            processes[name] = subprocess.Popen([*one.command], cwd=HERE.parent, env=one.environ)  # noqa: S603

        told = pass_signals_on([*processes.values()])

        if are_ready(servers, processes):
            print(greeting(chosen), file=sys.stderr)

        return wait(processes, told)
    finally:
        for process in processes.values():
            process.terminate()


def are_ready(servers: Mapping[str, Server], processes: Mapping[str, Process]) -> bool:
    """Wait until each serves, as long as all of them live."""
    until = time.monotonic() + READY_WITHIN
    waiting = list(servers.values())

    while waiting and are_alive(processes) and time.monotonic() < until:
        waiting = [one for one in waiting if not serves(one)]
        time.sleep(0.1)

    return not waiting and are_alive(processes)


def serves(server: Server) -> bool:
    """Say whether a server answers its probe."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=5)

    try:
        connection.request("GET", server.probe)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def greeting(chosen: Mapping[str, int]) -> str:
    """Say where to look."""
    return f"""
The same page, from three backends. Open one, and log in as Alice or as Bob:

  http://{HOST}:{chosen["FLASK_PORT"]}    Flask    examples/flask_backend.py
  http://{HOST}:{chosen["FASTAPI_PORT"]}    FastAPI  examples/fastapi_backend.py
  http://{HOST}:{chosen["EXPRESS_PORT"]}    Express  examples/express_backend.mjs

The sidecar: http://{HOST}:{chosen["HTTP_PORT"]} is for these backends alone,
http://{HOST}:{chosen["CLIENT_PORT"]} for the page. Behind it are stand-ins: no account is needed.
What to try is in examples/README.md. Ctrl-C ends all.
"""


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # before all were started
        sys.exit(130)
