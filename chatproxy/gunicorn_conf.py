"""gunicorn's settings, all of them from the environment.

Used as `gunicorn -c python:chatproxy.gunicorn_conf wsgi:app`. Bad settings stop the
start here, in the first process, with one message and exit code 1.
"""

import logging
import os
import resource
import subprocess
import sys
from typing import Any

from chatproxy import logs, settings
from chatproxy.errors import SettingsError
from chatproxy.identity.schema_version import is_current
from chatproxy.providers import SETTINGS
from chatproxy.server import response

#: Files a worker has open beside its connections.
SPARE_FILES = 256

try:
    _settings = settings.load(SETTINGS)
except SettingsError as error:
    sys.exit(error.message)

_host = f"[{_settings.bind_host}]" if ":" in _settings.bind_host else _settings.bind_host
_ports = [_settings.http_port] + [
    section.root_port
    for section in _settings.provider_settings.values()
    if section.root_port is not None
]

bind = [f"{_host}:{port}" for port in _ports]
backlog = 2048
workers = _settings.workers
worker_class = "chatproxy.server.worker.Worker"
worker_connections = _settings.worker_connections
keepalive = _settings.keepalive_timeout
graceful_timeout = _settings.graceful_timeout

# Chat filters travel in the query, so request lines are long.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190

# gunicorn drops a header with a `_` in its name, since WSGI takes it for the one with a `-`,
# but for those that are listed here, from those whom it trusts. In a pod every caller comes
# from loopback, so no address makes a trusted proxy: everybody may send these few, and
# nobody any other. One who could send SCRIPT_NAME would move the routes.
_underscored = [
    name for section in _settings.provider_settings.values() for name in section.underscored
]
forwarded_allow_ips = "*" if _underscored else ""
forwarder_headers = ",".join(_underscored)
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"

control_socket_disable = True
sendfile = False  # answers are pieces, and their head is held back for the first
# The heart-beat file must not be on a disk that can be slow; see gunicorn's FAQ.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
proc_name = "chatproxy"
logger_class = "chatproxy.server.logger.Logger"
logconfig_dict = logs.configuration(_settings.log_level, _settings.secrets())


def on_starting(server: Any) -> None:
    """Raise the limit on open files, and say once what the operator should know."""
    log = logging.getLogger("chatproxy")
    _prepare_directory()
    files = _raise_file_limit(2 * _settings.worker_connections + SPARE_FILES)

    if files < _settings.worker_connections:
        log.warning("only %d open files are allowed: fewer than WORKER_CONNECTIONS", files)

    log.info(
        "chatproxy starts",
        extra={"providers": list(_settings.provider_settings), "listening": bind},
    )

    for warning in _settings.warnings():
        log.warning(warning)


def _prepare_directory() -> None:
    """Bring a SQLite directory to the newest schema, and put in what the settings name.

    A server's schema is not touched; who runs replicas upgrades it once for all.
    """
    if _settings.directory is None:
        return

    path = _settings.directory.sqlite_path

    if path is not None and not is_current(path):
        _run("db", "upgrade")

    for section in _settings.provider_settings.values():
        for arguments in section.commands_before_start():
            _run(*arguments)


def _run(*arguments: str) -> None:
    """Run a command of ours, or end the start.

    In a process of its own: this one must not load what workers have to patch first.
    """
    command = [sys.executable, "-m", "chatproxy.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    if done.returncode:
        said = f"`chatproxy {' '.join(arguments)}` failed\n{done.stderr.strip()}"
        sys.exit(f"chatproxy cannot start: {said}")


def _raise_file_limit(wanted: int) -> int:
    """Allow as many open files as are wanted and permitted; return how many that is.

    Each forwarded call has two sockets, and the usual soft limit of 1,024 is met by
    500 calls at once.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    permitted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)

    if soft != resource.RLIM_INFINITY and soft < permitted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (permitted, hard))
        return permitted

    return soft if soft != resource.RLIM_INFINITY else wanted


def post_worker_init(worker: Any) -> None:
    """Prepare a worker of whatever class, and let its services see when it has to stop."""
    response.install()

    if (services := _services(worker)) is not None:
        services.lifetime.ends_when(lambda: not worker.alive)


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn calls it so
    """Write what a worker still holds, and close its connections."""
    if (services := _services(worker)) is not None:
        services.close()


def _services(worker: Any) -> Any:
    """Return what the application of a worker works with; None where there is none."""
    application = getattr(worker, "wsgi", None)
    return None if application is None else application.extensions.get("chatproxy")
