"""`/-/healthz`, `/-/ready`, `/-/check-up`: for whoever runs the sidecar.

Liveness and readiness ask nobody outside: an outage of the provider would take
every instance out of service at once.
"""

import logging
from importlib.metadata import version
from typing import Any

import requests
from flask import Blueprint, Response, jsonify

from chatproxy.endpoints.serving import services
from chatproxy.errors import ChatproxyError
from chatproxy.services import Route

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
    found: dict[str, Any] = {}
    client_config = services().client_config
    client_config.refresh()

    if client_config.fault is not None:
        found["config"] = {"fault": client_config.fault, "inForce": "the last good one"}

    refused = [name for name, route in services().routes.items() if route.credential.refused]

    if refused:
        found["credentials"] = {name: "refused by the provider" for name in refused}

    return _said([], **found)


@blueprint.get("/check-up/")
def check_up() -> Response:
    """Answer whether every dependency can be reached and accepts us."""
    faults = (_fault(route) for route in services().routes.values())
    return _said([fault for fault in faults if fault])


def _fault(route: Route) -> str:
    """Ask the provider something cheap; return what is wrong, or nothing."""
    name = route.provider.name
    credentials = route.provider.authorise()
    url = route.upstream.origin + route.upstream.base_path + route.provider.check_path()
    query = "&".join(f"{key}={value}" for key, value in credentials.query)

    try:
        with route.session.get(
            f"{url}?{query}",
            headers=dict(credentials.headers),
            allow_redirects=False,
            stream=True,  # the status says it all; the body may be of any size
        ) as answer:
            status = answer.status_code
    except ChatproxyError as error:
        return f"{name}: {error.message}"
    except requests.RequestException:
        return f"{name}: the answer could not be read."

    refused = route.provider.refuses_credential(status)
    route.credential.saw(status, refused=refused)
    return "" if 200 <= status < 300 else f"{name}: answered {status}."


def _said(faults: list[str], **found: Any) -> Response:
    body: dict[str, Any] = {"status": "KO" if faults else "OK", "name": NAME, "version": VERSION}

    if faults:
        body["message"] = " ".join(faults)
        log.error("check-up failed", extra={"debugInfo": body})

    answer = jsonify(body | found)
    answer.status_code = 503 if faults else 200
    return answer
