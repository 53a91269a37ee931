"""`/-/healthz`, `/-/ready`, `/-/check-up`: for whoever runs the sidecar.

Liveness and readiness ask nobody outside: an outage of the provider would take
every instance out of service at once.
"""

import logging
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Response, jsonify

from chatproxy.web.outbound import answer_of
from chatproxy.web.serving import services
from chatproxy.errors import ChatproxyError, UpstreamError
from chatproxy.services import Peer

log = logging.getLogger(__name__)

blueprint = Blueprint("status", __name__)

NAME = "chatproxy"
VERSION = version(NAME)


@blueprint.get("/healthz/")
def healthz() -> Response:
    """Answer that the process serves requests."""
    return _said([])


@blueprint.get("/ready/")
def ready() -> Response:
    """Answer that requests may come. What needs a look stands beside it, with status 200."""
    worker = services()
    worker.client_config.refresh()
    found: dict[str, Any] = {}

    if worker.client_config.fault is not None:
        found["config"] = {"fault": worker.client_config.fault, "inForce": "the last good one"}

    refused = [name for name, route in worker.routes.items() if route.credential.refused]

    if refused:
        found["credentials"] = {name: "refused by the provider" for name in refused}

    if worker.directory is not None and worker.directory.database.fault:
        found["directory"] = {"fault": _kind_of(worker.directory.database.fault)}

    if worker.limiter is not None and worker.limiter.fault:
        found["limits"] = {"fault": _kind_of(worker.limiter.fault)}

    return _said([], **found)


def _kind_of(fault: str) -> str:
    """Shorten a driver's words, which name hosts and roles; the log has the whole."""
    _, hint, mend = fault.partition("; run ")
    return fault.partition(":")[0] + hint + mend


@blueprint.get("/check-up/")
def check_up() -> Response:
    """Answer whether every dependency can be reached and accepts us."""
    worker = services()
    checks: dict[str, Callable[[], None]] = {
        name: partial(_look_at, peer) for name, peer in worker.peers.items()
    }

    if worker.directory is not None:
        checks["directory"] = worker.directory.database.ping

    if worker.limiter is not None:
        checks["limits"] = worker.limiter.ping

    return _said([fault for name, check in checks.items() if (fault := _fault(name, check))])


def _fault(name: str, check: Callable[[], None]) -> str:
    """Return what is wrong, or nothing."""
    try:
        check()
    except ChatproxyError as error:
        return f"{name}: {error.message}"

    return ""


def _look_at(peer: Peer) -> None:
    """Ask a server something cheap; raise `ChatproxyError` where it does not work or accept us."""
    server = peer.server
    status, content = answer_of(peer, server.check())
    route = services().routes.get(server.name)

    if route is not None:
        route.credential.saw(status, route.provider.verdict(status, content))

    if fault := server.fault_in(status, content):
        raise UpstreamError(fault)


def _said(faults: list[str], **found: Any) -> Response:
    body: dict[str, Any] = {"status": "KO" if faults else "OK", "name": NAME, "version": VERSION}

    if faults:
        body["message"] = " ".join(faults)
        log.error("check-up failed", extra={"debugInfo": body})

    answer = jsonify(body | found)
    answer.status_code = 503 if faults else 200
    return answer
