"""gunicorn's settings, all of them from the environment.

Used as `gunicorn -c python:chatproxy.gunicorn_conf chatproxy.wsgi:app`, which is what
`chatproxy serve` does. Bad settings stop the start here, in the master process, with one message
and exit code 1.
"""

import gc
import logging
import resource
import subprocess
import sys
from typing import Any

from gunicorn import systemd

from chatproxy import logs
from chatproxy.clock import Clock
from chatproxy.errors import SettingsError
from chatproxy.metrics import server as counted
from chatproxy.providers import SETTINGS
from chatproxy.receiving import memory as received
from chatproxy.server import arbiter, environ, ports, refusal, request, response, signs_of_life
from chatproxy.server.baton import BATON
from chatproxy.server.drain import DRAIN
from chatproxy.settings.sidecar import LAST_WORDS
from chatproxy.settings.watch import of_this_process

#: Files that a worker has open besides its connections.
SPARE_FILES = 256

# Of what a start loads nearly nothing becomes garbage, and to look for some meanwhile takes a tenth
# of it. Each process looks again from when it serves.
gc.disable()

try:
    _watch = of_this_process(SETTINGS, Clock().monotonic)
except SettingsError as error:
    sys.exit(error.message)

_settings = _watch.in_force.settings
bind = [listener.address for listener in _settings.listeners()]
backlog = 2048
workers = _settings.workers
worker_class = "chatproxy.server.worker.Worker"
worker_connections = _settings.worker_connections
keepalive = _settings.keepalive_timeout
graceful_timeout = _settings.graceful_timeout + LAST_WORDS
# Spread, so that workers which share the load evenly do not all ask for a successor at once.
max_requests = _settings.max_requests
max_requests_jitter = _settings.max_requests // 10
arbiter.install(_settings.drain_seconds)

# Chat filters travel in the query (`payload=…`), so request lines are longer than gunicorn's
# default of 4,094 allows.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
# A C parser would be used as soon as it is installed, and reads other heads than the one tested.
http_parser = "python"

# gunicorn drops headers with a `_` in their name, which WSGI cannot tell from those with a `-`,
# except the listed ones from trusted addresses. In a pod every caller comes from loopback, so no
# address marks a trusted proxy: everybody may send these few, and nobody any other. gunicorn's own
# default trusts loopback with SCRIPT_NAME, by which any caller could shift the routes.
_underscored = [
    name for section in _settings.provider_settings.values() for name in section.underscored
]
forwarded_allow_ips = "*" if _underscored else ""
forwarder_headers = ",".join(_underscored)
# No caller may tell us that its request came over https; nothing here depends on it.
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"

control_socket_disable = True
sendfile = False  # answers are sent in pieces, and `server.response` adds the head to the first
try:
    worker_tmp_dir = signs_of_life.folder()
except OSError as error:
    sys.exit(f"chatproxy cannot start: {error}")

proc_name = "chatproxy"
logger_class = "chatproxy.server.worker.Logger"
logconfig_dict = logs.configuration(
    _settings.log_level, _settings.secrets(), _settings.log_format, coloured=_settings.coloured
)
_watch.adopted = lambda in_force: logs.hide(in_force.hidden)
_watch.judged = lambda good: counted.settings_judged(Clock().now(), good=good)
counted.begin(_settings.workers, Clock().now())

if _settings.webhooks is not None:
    received.share(_settings.webhooks.window_count)


def on_starting(server: Any) -> None:
    """Raise the limit on open files, and log once what the operator should know."""
    # Before the workers are forked: they inherit the limit, and find the directory ready.
    log = logging.getLogger("chatproxy")
    _look_at_ports(server)
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


def when_ready(server: Any) -> None:  # noqa: ARG001 - gunicorn calls it so
    """Watch the files that settings come from, while the workers serve."""
    # What is left out of collections stays shared with the workers: 6 MB. gevent asks for all
    # other objects when it patches, and writes to each by that.
    gc.freeze()
    gc.enable()
    _watch.start()


def on_reload(server: Any) -> None:  # noqa: ARG001
    """Take over what has changed in the files, before the new workers start."""
    # gunicorn has just set up the log anew, with the secrets of the start.
    logs.hide(_watch.in_force.hidden)
    _watch.reload()


def _look_at_ports(server: Any) -> None:
    # Before anything is made or upgraded: gunicorn opens its sockets after this. It has them
    # already where another one or systemd hands them over.
    if server.LISTENERS or server.master_pid or systemd.listen_fds(unset_environment=False):
        return

    settings = {listener.port: listener.setting for listener in _settings.listeners()}
    found = list(ports.problems(server.cfg.address, settings, Clock().monotonic))

    if found:
        sys.exit("\n  - ".join(["chatproxy cannot start:", *found]))


def _prepare_directory() -> None:
    if _settings.directory is None:
        return

    path = _settings.directory.sqlite_path

    # Imported here, with SQLite: only a sidecar with a directory needs them.
    from chatproxy.identity.new_database import make
    from chatproxy.identity.schema_version import is_current

    # SQLite alone is upgraded here. Several replicas share a database server, so its schema is
    # upgraded once, by a command, before any of them starts.
    if path is not None:
        make(path)

        if not is_current(path):
            _run("db", "upgrade")

    for section in _settings.provider_settings.values():
        for arguments in section.commands_before_start():
            _run(*arguments)


def _run(*arguments: str) -> None:
    # In a process of its own: this one must not load modules that gevent patches in the workers
    # before they are first imported.
    # Its modules come from where ours do (`chatproxy serve`).
    options = ["-P"] if sys.flags.safe_path else []
    command = [sys.executable, *options, "-m", "chatproxy.cli", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    if result.returncode:
        reason = f"`chatproxy {' '.join(arguments)}` failed\n{result.stderr.strip()}"
        sys.exit(f"chatproxy cannot start: {reason}")


def _raise_file_limit(wanted: int) -> int:
    # Each forwarded call has two sockets, so 500 calls at once meet the usual soft limit of 1,024.
    # An unprivileged process may raise its soft limit up to the hard one (getrlimit(2)).
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    permitted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)

    if soft != resource.RLIM_INFINITY and soft < permitted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (permitted, hard))
        return permitted

    return soft if soft != resource.RLIM_INFINITY else wanted


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Load the application without looking for garbage."""
    gc.disable()


def post_worker_init(worker: Any) -> None:
    """Install our request and response, and let the services see when the worker has to stop."""
    # Imported here: the first process loads nothing that workers patch.
    import gevent

    logs.write_once_a_turn(gevent.get_hub().loop.run_callback)
    request.install()
    environ.install(worker.cfg)
    refusal.install()
    response.install(_settings.body_idle_timeout)

    if (services := _services(worker)) is not None:
        services.lifetime.ends_when(lambda: not worker.alive, DRAIN.has_begun)
        _start_upkeep(services)

    # What stays as long as the worker, 100,000 objects, is left out of garbage collections from
    # now on. A full one looked at all of them, and held all requests up for 40 milliseconds. There
    # is none before: of what a start loads nearly nothing is garbage.
    gc.freeze()
    gc.enable()


def _start_upkeep(services: Any) -> None:
    # Imported here: the first process loads nothing that workers patch.
    from chatproxy.upkeep.work import Upkeep

    Upkeep(services, BATON).start()


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn calls it so
    """Write what the worker has buffered, and close its connections."""
    if (services := _services(worker)) is not None:
        services.close()


def _services(worker: Any) -> Any:
    # None if the worker ends before it has loaded the application.
    application = getattr(worker, "wsgi", None)
    return None if application is None else application.extensions.get("chatproxy")
