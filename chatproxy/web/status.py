"""`/-/healthz`, `/-/ready` and `/-/check-up`, for those who run the sidecar.

Liveness asks nobody. Readiness is 503 where another instance could serve better, or none can
without the directory; no outage of a provider changes it, which would take every instance out of
service at once.
"""

import logging
from typing import Any

from flask import Blueprint, Response, jsonify

from chatproxy import __version__
from chatproxy.errors import ChatproxyError
from chatproxy.services import Part, Services
from chatproxy.web.current import context, services

log = logging.getLogger(__name__)

probes = Blueprint("status", __name__)
check = Blueprint("status-check", __name__)

NAME = "chatproxy"


@probes.get("/healthz")
@probes.get("/healthz/")
def healthz() -> Response:
    """Answer that the process is alive."""
    return _status([])


@probes.get("/ready")
@probes.get("/ready/")
def ready() -> Response:
    """Answer whether requests may come, with notes for the operator."""
    reasons, found = readiness(services())

    if reasons:
        found["reasons"] = context().notes["reasons"] = list(reasons)

    return _status(list(reasons.values()), **found)


def readiness(found: Services) -> tuple[dict[str, str], dict[str, Any]]:
    """Return why no requests should come, by a code, and the notes for the operator by section."""
    notes: dict[str, Any] = {}
    reasons: dict[str, str] = {}

    for part in found.parts:
        for section, noted in part.notes().items():
            notes.setdefault(section, {}).update(noted)

        reasons |= part.unready()

    return reasons, notes


@check.get("/check-up")
@check.get("/check-up/")
def check_up() -> Response:
    """Answer whether every dependency can be reached and accepts us."""
    faults = [fault for part in services().parts if (fault := _fault_of(part))]
    answer = _status(faults)

    if faults:
        log.error("check-up failed", extra={"debugInfo": answer.get_json()})

    return answer


def _fault_of(part: Part) -> str:
    try:
        if part.ping is not None:
            part.ping()
    except ChatproxyError as error:
        return f"{part.name}: {error.message}"

    return ""


def _status(faults: list[str], **found: Any) -> Response:
    body: dict[str, Any] = {
        "status": "KO" if faults else "OK",
        "name": NAME,
        "version": __version__,
    }

    if faults:
        body["message"] = " ".join(faults)

    answer = jsonify(body | found)
    answer.status_code = 503 if faults else 200
    return answer
