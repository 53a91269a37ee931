"""The peers: how each is started, and what it needs. All put the same credentials in."""

import dataclasses
import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.processes import KEPT, Server, free_port, plain_proxy, sidecar

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"

KEY = "peers-key"
TOKEN = "peers-token"

#: Two hundred bytes, as a provider's short answers are.
_BARE = {"users": {"alice": {"id": "alice", "name": "Alice", "role": "user"}}, "padding": ""}
JSON = json.dumps(_BARE | {"padding": "x" * (200 - len(json.dumps(_BARE)))})

#: The paths of the upstream: a short answer, one in chunks, and those that take a body.
APP, CHUNKED, TAKEN, LARGE = "/app", "/chunked", "/taken", "/large"

#: As shipped, but for a limit on bodies that lets a gigabyte pass.
LIMITS = {"MAX_BODY_BYTES": "2000000000"}

Start = Callable[[Path, int], Server]


@dataclasses.dataclass(frozen=True)
class Peer:
    """One way to the upstream. `missing` says why it cannot be started; `note`, how it is."""

    name: str
    start: Start | None
    note: str
    missing: str = ""


def upstream(folder: Path) -> Server:
    """Return nginx as the server that is forwarded to; its files are made."""
    files = folder / "files"
    files.mkdir()

    for megabytes in (10, 100, 1000):
        with (files / str(megabytes)).open("wb") as file:
            file.truncate(megabytes * 1_000_000)

    port = free_port()
    # It refuses whoever brings no credentials, and by that says that it is there.
    return Server(_nginx("upstream", folder, port), port, folder / "upstream.out", {}, "/", 401)


def peers(folder: Path, before: Path | None) -> list[Peer]:
    """List all peers, those that cannot be started, too."""
    go = functools.partial(_go_proxy, folder)
    packages = json.loads((HERE / "package.json").read_text())["dependencies"]
    fastify = ", ".join(f"{name} {version}" for name, version in packages.items())
    line = "one line of its log for each call"
    found = [
        Peer("direct", None, f"no proxy; the upstream is {_version(_nginx_path(), '-v')}"),
        Peer("nginx", _nginx_proxy, f"{_version(_nginx_path(), '-v')}, one worker; {line}"),
        Peer("Go", go, f"ReverseProxy, {_version('go', 'version')}; {line}", _missing_go()),
        Peer("Node", _node_proxy, f"{fastify}, {_version('node', '-v')}; {line}", _missing_node()),
        Peer("plain", _plain, "Flask, requests, gunicorn's gthread, 32 threads; no log"),
        Peer("sidecar", _sidecar, f"as shipped: one worker, {line}"),
    ]

    if before is not None:
        start = functools.partial(_sidecar_before, before.resolve())
        found.append(Peer("before", start, f"the sidecar of commit {_commit(before)}"))

    return found


def _nginx_proxy(folder: Path, upstream_port: int) -> Server:
    port = free_port()
    command = _nginx("proxy", folder, port, UPSTREAM=str(upstream_port), KEY=KEY, TOKEN=TOKEN)
    return Server(command, port, folder / "nginx.out", {}, f"/proxy{APP}")


def _nginx(name: str, folder: Path, port: int, **more: str) -> list[str]:
    # Where root starts it, its worker would else be somebody who may not read the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    values = {"FOLDER": str(folder), "PORT": str(port), "USER": user, "JSON": JSON, **more}
    text = (HERE / f"{name}.conf").read_text()

    for key, value in values.items():
        text = text.replace(f"@{key}@", value)

    conf = folder / f"{name}.conf"
    conf.write_text(text)
    return [
        _nginx_path() or "nginx",
        "-p",
        str(folder),
        "-c",
        str(conf),
        "-e",
        str(folder / "nginx.log"),
    ]


def _nginx_path() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def missing_upstream() -> str:
    """Say why there is no upstream; nothing where there is one."""
    return "" if _nginx_path() else "nginx is not here (Debian: apt-get install nginx)"


def _version(program: str | None, option: str) -> str:
    if program is None or shutil.which(program) is None:
        return ""

    # nginx says it where others tell errors.
    said = subprocess.run([program, option], capture_output=True, text=True, check=False)
    return (said.stdout or said.stderr).strip()


def _missing_go() -> str:
    return "" if shutil.which("go") else "Go is not here (Debian: apt-get install golang-go)"


def _go_proxy(built: Path, folder: Path, upstream_port: int) -> Server:
    program = built / "goproxy"

    if not program.exists():
        command = ["go", "build", "-o", str(program), str(HERE / "proxy.go")]
        subprocess.run(command, check=True, cwd=built, env=os.environ | {"GO111MODULE": "off"})

    return _own([str(program)], "go", folder, upstream_port)


def _missing_node() -> str:
    if shutil.which("npm") is None:
        return "Node.js and npm are not here (Debian: apt-get install nodejs npm)"

    if not MODULES.exists():
        command = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]

        if subprocess.run(command, cwd=HERE, check=False).returncode:
            return "npm could not install Fastify"

    return ""


def _node_proxy(folder: Path, upstream_port: int) -> Server:
    return _own(["node", str(HERE / "proxy.mjs")], "node", folder, upstream_port)


def _own(command: list[str], name: str, folder: Path, upstream_port: int) -> Server:
    port = free_port()
    environ = {
        "PORT": str(port),
        "UPSTREAM": f"http://127.0.0.1:{upstream_port}",
        "KEY": KEY,
        "TOKEN": TOKEN,
    }
    return Server(command, port, folder / f"{name}.out", environ, f"/proxy{APP}")


def _plain(folder: Path, upstream_port: int) -> Server:
    options = (*KEPT, "--worker-class", "gthread", "--threads", "32")
    made = plain_proxy(folder, upstream_port, *options)
    made.probe = f"/proxy{APP}"
    return made


def _sidecar(folder: Path, upstream_port: int) -> Server:
    return sidecar(folder, upstream_port, **LIMITS)


def _sidecar_before(before: Path, folder: Path, upstream_port: int) -> Server:
    made = _sidecar(folder, upstream_port)
    own = before / ".venv" / "bin" / "python"
    made.folder = before
    # `python -m` takes modules from the folder that it runs in first.
    made.command = [str(own) if own.exists() else sys.executable, *made.command[1:]]
    return made


def _commit(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
